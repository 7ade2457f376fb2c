import type { ArticleBlock } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 21,
  proves:
    "the endpoints of a service and why TLS to a callee failed can be read of a sidecar, before anything is made strict",
  given: ["kubectl apply -f given/mutual-tls-to-legacy.yaml"],
  calls: [{ from: "production/api-service", to: "http://database.legacy:5432/", gives: "closed" }],
  questions: [
    {
      ask: "istioctl dashboard kiali",
      marked: "Kiali is another project's program; `istioctl dashboard` opens our own page",
    },
    {
      ask: "istioctl proxy-config endpoints deploy/frontend -n production | grep reviews",
      answer: /outbound\|9080\|\|reviews\.production\.svc\.cluster\.local/,
    },
    {
      ask: String.raw`kubectl logs deploy/api-service -c istio-proxy -n production | \
grep -o '"upstream_transport_failure_reason":"[^"]*"' | sort | uniq -c`,
      answer: /^ *\d+ "upstream_transport_failure_reason":"\S/,
    },
  ],
  afterwards: ["kubectl delete --ignore-not-found -f given/mutual-tls-to-legacy.yaml"],
  mutations: [
    {
      name: "the service is gone",
      run: "kubectl get service reviews -n production -o yaml > reviews.yaml && kubectl delete service reviews -n production",
    },
  ],
};
