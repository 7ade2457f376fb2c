/** Ports of Services whose name says no protocol, so that the proxy has to guess. */
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";
import { isControlPlane } from "../in-mesh.ts";

const PROTOCOLS = /^(tcp|udp|grpc|grpc-web|http|http_proxy|http2|https|tls|mongo|redis|mysql)$/;
const OF_KUBERNETES = ["kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"];
/** SMTP, DNS, MySQL and MongoDB are TCP whatever their port is called. */
const WELL_KNOWN = [25, 53, 3306, 27017];
const MANAGED = [
  "istio.io-gateway-controller",
  "istio.io-mesh-controller",
  "istio.io-eastwest-controller",
];

export const portNames: Analyzer = {
  name: "service.PortNameAnalyzer",
  about: "ports whose name says no protocol",
  *analyze(mesh) {
    for (const service of mesh.of("Service")) {
      const managed = service.labels["gateway.istio.io/managed"];
      if (isControlPlane(service) || (managed !== undefined && MANAGED.includes(managed))) continue;
      const isExternal = service.spec.at("type").text === "ExternalName";
      for (const port of service.spec.at("ports").items) {
        const name = port.at("name").text;
        if (!isGuessed(port) && !(isExternal && name === "tcp")) continue;
        const target = port.at("targetPort").text || "0";
        yield isExternal
          ? finding(service, "IST0150", [], port)
          : finding(service, "IST0118", [name, port.at("port").number ?? 0, target], port);
      }
    }
  },
};

function isGuessed(port: Field): boolean {
  if (port.at("protocol").text === "UDP") return false;
  const said = port.at("appProtocol");
  const name = (said.exists ? said.text : port.at("name").text).toLowerCase();
  if (said.exists && OF_KUBERNETES.includes(name)) return false;
  if (name.startsWith("grpc-web")) return false;
  const isKnown = PROTOCOLS.test(name.split("-")[0] ?? "");
  return !isKnown && !WELL_KNOWN.includes(port.at("port").number ?? 0);
}
