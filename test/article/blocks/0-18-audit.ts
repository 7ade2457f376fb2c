import { type ArticleBlock, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 18,
  proves:
    "what demands mutual TLS is told of a pod, of all policies and of all pods: those without a sidecar are found by the same line of jsonpath",
  given: [
    "kubectl apply -f seeds/02-peer-authentication-namespace.yaml",
    "kubectl apply -f seeds/04-peer-authentication-port-level.yaml",
  ],
  questions: [
    {
      ask: "istioctl x describe pod -n production deploy/api-service",
      answer: /8080[^\n]*STRICT[\s\S]*9090[^\n]*PERMISSIVE/,
    },
    {
      ask: "kubectl get peerauthentication --all-namespaces",
      answer: /^payments +default +STRICT/m,
    },
    {
      ask: String.raw`kubectl get pods --all-namespaces -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.containers[*].name}{"\n"}{end}' | grep -v istio-proxy | grep -v kube-system`,
      answer: /^legacy\/database-\S+ app$/m,
      never: /istio-proxy|^production\//m,
    },
    {
      ask: String.raw`istioctl proxy-config listeners deploy/api-service -o json | \
jq '.[].filterChains[].transportSocket.typedConfig.commonTlsContext'`,
      answer: /ROOTCA/,
    },
  ],
  afterwards: [
    remove("04-peer-authentication-port-level"),
    remove("02-peer-authentication-namespace"),
  ],
  mutations: [
    {
      name: "the policy of the ports is deleted",
      run: remove("04-peer-authentication-port-level"),
    },
    {
      name: "the mode of 8080 is another",
      run: flip("peerauthentication", ["production", "api-service"], {
        spec: { portLevelMtls: { "8080": { mode: "DISABLE" } } },
      }),
    },
    { name: "the namespace's policy is deleted", run: remove("02-peer-authentication-namespace") },
  ],
};
