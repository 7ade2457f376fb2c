import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 17,
  proves:
    "below /api OPA has the word: it lets callers with an identity through and no others; without OPA nobody passes",
  needsNamespaces: "two OPAs listen on the same ports, which the articles' Deployment fixes",
  given: [
    "kubectl apply -f given/opa-that-loads.yaml",
    "cp given/mesh-config-with-provider.yaml manifests/mesh-config.yaml",
    "kubectl rollout status deployment opa-authorizer -n istio-system --timeout=60s",
  ],
  deeds: [apply("15-opa-custom-policy")],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: 403 },
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
    { from: "legacy/database", to: "http://api-service.production:8080/other", gives: 200 },
  ],
  afterwards: [remove("15-opa-custom-policy"), remove("13-opa")],
  mutations: [
    { name: "the policy is deleted", run: remove("15-opa-custom-policy") },
    {
      name: "there is no OPA",
      run: "kubectl delete deployment opa-authorizer -n istio-system && kubectl wait --for=delete pod -l app=opa-authorizer -n istio-system --timeout=30s",
    },
    {
      name: "it asks about other paths",
      run: flip("authorizationpolicy", ["production", "opa-ext-auth"], {
        spec: { rules: [{ to: [{ operation: { paths: ["/elsewhere"] } }] }] },
      }),
    },
  ],
};
