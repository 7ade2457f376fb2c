import { type ArticleBlock, flip } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 28,
  proves:
    "which workload a policy selects, what was denied and by which policy, and all that applies to a pod, is told by the same four lines",
  given: [
    "kubectl apply -f given/deny-compromised.yaml",
    "kubectl rollout restart deployment api-service -n production", // logs without earlier denials
    "kubectl rollout status deployment api-service -n production --timeout=60s",
  ],
  calls: [
    {
      from: "production/compromised-service",
      to: "http://api-service.production:8080/api/a",
      gives: 403,
    },
  ],
  questions: [
    {
      ask: `kubectl get authorizationpolicy -n production -o yaml | grep -A5 "selector"`,
      answer: /matchLabels:\s+app: api-service/,
    },
    {
      ask: `kubectl logs deploy/api-service -c istio-proxy -n production | grep "rbac_access_denied"`,
      answer: /rbac_access_denied_matched_policy\[ns\[production\]-policy\[deny-compromised\]/,
    },
    {
      ask: `kubectl logs deploy/api-service -c istio-proxy -n production | grep "enforced_policy"`,
      answer: /deny-compromised/,
    },
    {
      ask: "istioctl x authz check deploy/api-service -n production",
      answer: /^DENY +deny-compromised\.production/m,
    },
  ],
  afterwards: ["kubectl delete --ignore-not-found -f given/deny-compromised.yaml"],
  mutations: [
    { name: "the policy is deleted", run: "kubectl delete -f given/deny-compromised.yaml" },
    {
      name: "the policy selects another workload",
      run: flip("authorizationpolicy", ["production", "deny-compromised"], {
        spec: { selector: { matchLabels: { app: "api" } } },
      }),
    },
    {
      name: "it allows",
      run: flip("authorizationpolicy", ["production", "deny-compromised"], {
        spec: { action: "ALLOW" },
      }),
    },
  ],
};
