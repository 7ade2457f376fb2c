import { type ArticleBlock, flip } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 22,
  proves: "the first namespace is made strict by a heredoc, and its callers with sidecars go on",
  given: ["kubectl apply -f given/permissive-mesh.yaml"],
  deeds: [
    {
      run: `kubectl apply -f - <<EOF
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: staging
spec:
  mtls:
    mode: STRICT
EOF`,
    },
  ],
  calls: [
    { from: "legacy/database", to: "http://api-service.staging:8080/", gives: "closed" },
    { from: "production/frontend", to: "http://api-service.staging:8080/", gives: 200 },
    { from: "legacy/database", to: "http://api-service.production:8080/", gives: 200 },
  ],
  questions: [
    {
      // Nothing may be found, which is good news, or what was refused just now.
      ask: String.raw`kubectl logs -n staging -l app=api-service -c istio-proxy --tail=50 | grep -i "tls\|error\|refused"`,
      code: [0, 1],
    },
  ],
  mutations: [
    { name: "the policy is deleted", run: "kubectl delete peerauthentication default -n staging" },
    {
      name: "the mode is PERMISSIVE",
      run: flip("peerauthentication", ["staging", "default"], {
        spec: { mtls: { mode: "PERMISSIVE" } },
      }),
    },
  ],
  afterwards: ["kubectl delete --ignore-not-found peerauthentication default -n staging"],
};
