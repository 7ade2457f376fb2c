/** Deployments that several Services lead to, in ways that a sidecar's port cannot serve both. */
import { selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { podInMesh } from "../in-mesh.ts";

export const serviceAssociation: Analyzer = {
  name: "deployment.ServiceAssociationAnalyzer",
  about: "Deployments whose Services disagree about a port",
  *analyze(mesh) {
    for (const { origin, ...pod } of mesh.pods) {
      if (origin.kind !== "Deployment" || !podInMesh({ ...pod, origin }, mesh)) continue;
      if (origin.labels["gateway.istio.io/managed"] === "istio.io-mesh-controller") continue;
      const services = mesh.of("Service").filter(({ namespace, spec }) => {
        const selector = spec.at("selector").labels;
        return (
          namespace === pod.namespace &&
          Object.keys(selector).length > 0 &&
          selects(selector, pod.labels)
        );
      });
      yield* protocols(origin, services);
      yield* targets(origin, services);
    }
  },
};

function* protocols(
  deployment: AnalyzedObject,
  services: readonly AnalyzedObject[],
): Iterable<Finding> {
  const ports = new Map<number, Map<string, string[]>>();
  for (const { spec, namespace, name } of services)
    for (const port of spec.at("ports").items) {
      const of = entry(ports, port.at("port").number ?? 0, () => new Map<string, string[]>());
      entry(of, port.at("protocol").text || "TCP", () => []).push(`${namespace}/${name}`);
    }
  for (const [port, byProtocol] of ports) {
    if (byProtocol.size < 2) continue;
    const names = [...byProtocol.values()].flat().sort();
    yield finding(deployment, "IST0116", [deployment.name, port, names], nameOf(deployment));
  }
}

function* targets(
  deployment: AnalyzedObject,
  services: readonly AnalyzedObject[],
): Iterable<Finding> {
  const byTarget = new Map<string, Map<number, string>>();
  for (const { spec, namespace, name } of services)
    for (const field of spec.at("ports").items) {
      const port = field.at("port").number ?? 0;
      const target = field.at("targetPort").text.replace(/^0$/, "") || String(port);
      entry(byTarget, target, () => new Map<number, string>()).set(port, `${namespace}/${name}`);
    }
  for (const [target, byPort] of byTarget) {
    if (byPort.size < 2) continue;
    const names = [...byPort.values()].sort();
    const ports = [...byPort.keys()].sort((one, other) => one - other);
    const values = [deployment.name, names, target, ports];
    yield finding(deployment, "IST0137", values, nameOf(deployment));
  }
}

function nameOf({ root }: AnalyzedObject): ReturnType<typeof root.at> {
  return root.at("metadata", "name");
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
