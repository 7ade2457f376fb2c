/**
 * Istio's own ingress gateway, for files that speak of it and do not describe it.
 * Source: `pkg/config/analysis/local/defaults.go` of istio/istio: its labels and the ports of its Service.
 */
const PORTS = [80, 443, 31400, 15443];

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    namespace: "istio-system",
    name: "istio-ingressgateway",
    labels: { istio: "ingressgateway" },
  },
  spec: { containers: [{ name: "istio-proxy", image: "auto" }] },
};

const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "istio-system", name: "istio-ingressgateway" },
  spec: {
    selector: { istio: "ingressgateway" },
    ports: PORTS.map((port) => ({ port, name: `tcp-${port}` })),
  },
};

/** No message names the file: nothing of it was written by anybody. */
export const ASSUMED_GATEWAY: { readonly file: string; readonly text: string } = {
  file: "(assumed)",
  text: [POD, SERVICE].map((object) => JSON.stringify(object)).join("\n---\n"),
};
