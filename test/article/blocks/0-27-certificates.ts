import type { ArticleBlock } from "../article-block.ts";

const CERTIFICATE = String.raw`istioctl proxy-config secret deploy/api-service -n production -o json | \
jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | \
base64 -d |`;

export const block: ArticleBlock = {
  article: 0,
  block: 27,
  proves:
    "a workload's certificate can be read as openssl prints it, its end too, and that two workloads trust the same root",
  questions: [
    {
      ask: `${CERTIFICATE} openssl x509 -text -noout`,
      answer: /URI:spiffe:\/\/cluster\.local\/ns\/production\/sa\/api-service/,
    },
    { ask: `${CERTIFICATE} openssl x509 -enddate -noout`, answer: /^notAfter=/ },
    {
      ask: "istioctl proxy-config secret deploy/frontend -n production",
      answer: /^default +Cert Chain +ACTIVE +true[\s\S]*^ROOTCA +CA +ACTIVE +true/m,
    },
    {
      ask: "istioctl proxy-config secret deploy/api-service -n production",
      answer: /^default +Cert Chain +ACTIVE +true[\s\S]*^ROOTCA +CA +ACTIVE +true/m,
    },
    {
      ask: "for pod in frontend api-service; do istioctl proxy-config secret deploy/$pod -n production | grep ROOTCA; done | sort -u | wc -l",
      answer: /^1$/m,
    },
  ],
  mutations: [
    {
      name: "the pod runs as another",
      run: `kubectl patch deployment api-service -n production --type merge -p '{"spec":{"template":{"spec":{"serviceAccountName":"frontend"}}}}'; kubectl rollout status deployment api-service -n production`,
    },
    {
      name: "the pod has no sidecar",
      run: `kubectl patch deployment api-service -n production --type merge -p '{"spec":{"template":{"metadata":{"labels":{"sidecar.istio.io/inject":"false"}}}}}'; kubectl rollout status deployment api-service -n production`,
    },
  ],
  afterwards: [
    `kubectl patch deployment api-service -n production --type merge -p '{"spec":{"template":{"metadata":{"labels":{"sidecar.istio.io/inject":null}},"spec":{"serviceAccountName":"api-service"}}}}'`,
    "kubectl rollout status deployment api-service -n production --timeout=60s",
  ],
};
