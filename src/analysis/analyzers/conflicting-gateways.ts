/** Gateways of the same pods that serve one host at one port. */
import { type AnalyzedMesh, selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";

export const conflictingGateways: Analyzer = {
  name: "gateway.ConflictingGatewayAnalyzer",
  about: "Gateways of the same pods that serve one host at one port",
  once: true,
  *analyze(mesh) {
    const gateways = mesh.of("Gateway");
    for (const gateway of gateways) {
      const rivals = gateways.filter((one) => one !== gateway && shareAPod(gateway, one, mesh));
      for (const server of gateway.spec.at("servers").items) {
        const conflicting = rivals.filter((rival) =>
          rival.spec.at("servers").items.some((other) => conflict(server, other)),
        );
        if (conflicting.length === 0) continue;
        const names = conflicting.map(({ namespace, name }) => `${namespace}/${name}`).sort();
        const selector = selectorText(gateway.spec.at("selector").labels);
        const hosts = server.at("hosts").texts.join(",");
        const values = [names.join(","), selector, String(portOf(server)), hosts];
        yield finding(gateway, "IST0145", values, server.at("hosts"));
      }
    }
  },
};

function shareAPod(one: AnalyzedObject, other: AnalyzedObject, mesh: AnalyzedMesh): boolean {
  const [first, second] = [one, other].map(({ spec }) => spec.at("selector").labels);
  if (first === undefined || second === undefined) return false;
  if (selectorText(first) === selectorText(second)) return true;
  // Two that ask for more or less of the same meet where a pod has it all.
  const isPart = selects(first, second) || selects(second, first);
  return (
    isPart && mesh.pods.some(({ labels }) => selects(first, labels) && selects(second, labels))
  );
}

function conflict(one: Field, other: Field): boolean {
  if (portOf(one) !== portOf(other) || one.at("bind").text !== other.at("bind").text) return false;
  const hosts = other.at("hosts").texts;
  return one.at("hosts").texts.some((host) => hosts.includes(host));
}

function portOf(server: Field): number {
  return server.at("port", "number").number ?? 0;
}
