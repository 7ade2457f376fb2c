import type { ArticleBlock } from "../article-block.ts";

const LABEL = `for ns in production staging batch; do
kubectl label namespace $ns istio-injection=enabled --overwrite
done`;
const RESTART = `for ns in production staging batch; do
kubectl rollout restart deployment -n $ns
kubectl rollout status deployment --all -n $ns --timeout=300s
done`;

export const block: ArticleBlock = {
  article: 0,
  block: 20,
  proves:
    "a label and a restart give sidecars to namespaces that had none. As printed the waiting says `unknown flag: --all`, in any cluster: kubectl has no such flag there",
  given: [
    "kubectl label namespace staging batch istio-injection-",
    "for ns in staging batch; do kubectl rollout restart deployment -n $ns; kubectl rollout status deployment -n $ns --timeout=60s; done",
  ],
  deeds: [
    { run: LABEL },
    { run: RESTART, fails: /unknown flag: --all/ },
    {
      run: "for ns in production staging batch; do kubectl rollout status deployment -n $ns --timeout=300s; done",
    },
  ],
  questions: ["staging", "batch"].map((namespace) => ({
    ask: String.raw`kubectl get pods -n ${namespace} -o jsonpath='{range .items[*]}{.spec.containers[*].name}{"\n"}{end}' | sort -u`,
    answer: /^app istio-proxy\n$/,
  })),
  calls: [
    {
      from: "batch/batch-processor",
      to: "http://api-service.staging:8080/",
      gives: 200,
      body: /URI=spiffe:\/\/cluster\.local\/ns\/batch\/sa\/batch-processor/,
    },
  ],
  mutations: [
    {
      name: "a namespace is not labelled",
      before: 1,
      run: "kubectl label namespace staging istio-injection-",
    },
    {
      name: "pods are kept out",
      before: 1,
      run: `kubectl patch deployment batch-processor -n batch --type merge -p '{"spec":{"template":{"metadata":{"labels":{"sidecar.istio.io/inject":"false"}}}}}'`,
    },
  ],
  afterwards: [
    `kubectl patch deployment batch-processor -n batch --type merge -p '{"spec":{"template":{"metadata":{"labels":{"sidecar.istio.io/inject":null}}}}}'`,
    LABEL,
    "for ns in staging batch; do kubectl rollout restart deployment -n $ns; kubectl rollout status deployment -n $ns --timeout=60s; done",
  ],
};
