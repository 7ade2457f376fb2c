import { type ArticleBlock, flip } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 19,
  proves: "PERMISSIVE in the root namespace takes plaintext and mutual TLS alike",
  deeds: [{ run: "kubectl apply -f given/permissive-mesh.yaml" }],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: 200 },
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/api/a",
      gives: 200,
      body: /x-forwarded-client-cert/,
    },
  ],
  questions: [
    { ask: "kubectl get peerauthentication -n istio-system", answer: /^default +PERMISSIVE/m },
  ],
  mutations: [
    { name: "the policy is deleted", run: "kubectl delete -f given/permissive-mesh.yaml" },
    {
      name: "the mode is STRICT",
      run: flip("peerauthentication", ["istio-system", "default"], {
        spec: { mtls: { mode: "STRICT" } },
      }),
    },
  ],
};
