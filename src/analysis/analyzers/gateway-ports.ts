/** Gateways that nothing runs, and ports that no Service in front of them has. */
import { type AnalyzedMesh, selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";

export const gatewayPorts: Analyzer = {
  name: "gateway.IngressGatewayPortAnalyzer",
  about: "Gateways without pods, and ports that no Service of theirs has",
  *analyze(mesh) {
    for (const gateway of mesh.of("Gateway")) {
      const field = gateway.spec.at("selector");
      const ports = portsBefore(gateway, mesh);
      const said = selectorText(field.labels);
      if (ports === undefined) {
        yield finding(gateway, "IST0101", ["selector", said], field);
        continue;
      }
      for (const server of gateway.spec.at("servers").items) {
        const port = server.at("port");
        const number = port.at("number").number ?? 0;
        if (port.exists && !ports.has(number))
          yield finding(gateway, "IST0162", [number, said], port.at("number"));
      }
    }
  },
};

/** Ports and targets of all Services that lead to a pod of the gateway; undefined: it has no pod. */
function portsBefore(gateway: AnalyzedObject, mesh: AnalyzedMesh): Set<number> | undefined {
  const selector = gateway.spec.at("selector").labels;
  const pods = mesh.pods.filter(({ labels }) => selects(selector, labels));
  if (pods.length === 0) return undefined;
  const ports = new Set<number>();
  for (const { namespace, labels } of pods)
    for (const service of mesh.of("Service")) {
      if (service.namespace !== namespace) continue;
      if (!selects(service.spec.at("selector").labels, labels)) continue;
      for (const port of service.spec.at("ports").items) {
        if ((port.at("protocol").text || "TCP") !== "TCP") continue;
        ports.add(port.at("port").number ?? 0);
        const target = port.at("targetPort").number ?? 0;
        if (target !== 0) ports.add(target);
      }
    }
  return ports;
}
