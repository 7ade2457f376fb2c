/** VirtualServices that send to hosts and ports that nobody serves. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { findHost, type KnownHost, knownHosts } from "../hosts.ts";
import { type RouteDestination, routeDestinations } from "../route-destinations.ts";

export const destinationHosts: Analyzer = {
  name: "virtualservice.DestinationHostAnalyzer",
  about: "VirtualServices whose destination does not exist, or is not one port",
  *analyze(mesh) {
    const known = knownHosts(mesh);
    for (const service of mesh.of("VirtualService")) {
      for (const one of routeDestinations(service)) yield* judged(service, one, known);
      yield* hiddenSubsets(service, mesh);
    }
  },
};

function* judged(
  service: AnalyzedObject,
  { destination, isMirror }: RouteDestination,
  known: ReadonlyMap<string, KnownHost>,
): Iterable<Finding> {
  const host = destination.at("host").text;
  const at = destination.at("host");
  const exportTo = service.spec.at("exportTo").texts;
  const served = findHost(known, { namespace: service.namespace, exportTo, host });
  if (served === undefined) {
    yield finding(service, "IST0101", [isMirror ? "mirror host" : "host", host], at);
    return;
  }
  const port = destination.at("port", "number");
  if (!destination.at("port").exists) {
    if (served.ports.length > 1) yield finding(service, "IST0112", [host, served.ports], at);
  } else if (!served.ports.includes(port.number ?? 0)) {
    yield finding(service, "IST0101", ["host:port", `${host}:${port.text || "0"}`], port);
  }
}

/** A subset that another VirtualService chooses inside the mesh is not chosen for what comes by a gateway. */
function* hiddenSubsets(service: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  if (service.spec.at("gateways").size === 0) return;
  const title = `${service.namespace}/${service.name}`;
  for (const at of httpDestinations(service)) {
    if (at.at("subset").text !== "") continue;
    for (const other of mesh.of("VirtualService"))
      for (const chosen of httpDestinations(other)) {
        const host = chosen.at("host").text;
        const isChosen = chosen.at("subset").text !== "" && host === at.at("host").text;
        if (isChosen && other.spec.at("hosts").texts.includes(host))
          yield finding(service, "IST0140", [`${other.namespace}/${other.name}`, title], at);
      }
  }
}

function httpDestinations({ spec }: AnalyzedObject): readonly Field[] {
  return spec
    .at("http")
    .items.flatMap((route) => route.at("route").items.map((one) => one.at("destination")));
}
