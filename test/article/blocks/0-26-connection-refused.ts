import { type ArticleBlock, flip } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 26,
  proves:
    "whether a pod has a sidecar, where its caller sends port 8080, and the handshake itself, by openssl out of the caller's sidecar",
  given: ["kubectl apply -f seeds/01-peer-authentication-mesh.yaml"],
  questions: [
    {
      ask: "kubectl get pod -n production -l app=api-service -o jsonpath='{.items[0].spec.containers[*].name}'",
      answer: /\bistio-proxy\b/,
    },
    {
      ask: "istioctl proxy-config listeners deploy/frontend -n production --port 8080",
      answer: /\b8080\b/,
      never: /\b5432\b/,
    },
    {
      ask: String.raw`kubectl exec deploy/frontend -c istio-proxy -n production -- \
openssl s_client -connect api-service.production:8080 -servername api-service.production`,
      answer: /CONNECTED[\s\S]*BEGIN CERTIFICATE/,
    },
  ],
  mutations: [
    {
      name: "the mode is DISABLE",
      run: flip("peerauthentication", ["istio-system", "default"], {
        spec: { mtls: { mode: "DISABLE" } },
      }),
    },
    {
      name: "the service is gone",
      run: "kubectl get service api-service -n production -o yaml > api-service.yaml && kubectl delete service api-service -n production",
    },
  ],
  afterwards: [
    "test ! -f api-service.yaml || kubectl apply -f api-service.yaml; rm -f api-service.yaml",
  ],
};
