/** Service: a name and ports under which workloads are called. */

import type { Fields } from "./decoder.ts";
import { reportTwice, requiredPort, transportProtocol } from "./port-fields.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import {
  labelKeyProblem,
  labelNameProblem,
  labelValueProblem,
  portNameProblem,
} from "./resource-names.ts";

/**
 * What a port carries, as declared by `appProtocol` or the port's name; "auto" is found out from the first bytes. "http"
 * and "http2" differ in what the application is spoken to in; its clients may speak either version, and policies treat
 * both alike.
 * Source: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
export type PortProtocol = "http" | "http2" | "tcp" | "auto";

export interface ServicePort {
  readonly name: string;
  /** The port callers use. */
  readonly port: number;
  /** The container's port, or its name. */
  readonly targetPort: number | string;
  readonly protocol: PortProtocol;
}

export interface Service {
  readonly kind: "Service";
  readonly meta: ResourceMeta;
  /** Empty selects nothing. */
  readonly selector: Labels;
  readonly ports: readonly ServicePort[];
  /** `clusterIP: None`: it has no address of its own, and its name stands for the addresses of its pods. */
  readonly headless: boolean;
  /** Whether pods count as endpoints before they are ready. */
  readonly publishNotReadyAddresses: boolean;
}

/** SMTP, DNS, MySQL, MongoDB: the server may speak first, so they are never found out from the first bytes. */
const SERVER_FIRST_PORTS: readonly number[] = [25, 53, 3306, 27017];

/** Names of protocols, and what each is carried as. */
const PROTOCOLS: ReadonlyMap<string, PortProtocol | "udp"> = new Map([
  ["http", "http"],
  ["http_proxy", "http"],
  ["kubernetes.io/ws", "http"],
  ["https", "tcp"],
  ["kubernetes.io/wss", "tcp"],
  ["tls", "tcp"],
  ["tcp", "tcp"],
  ["mongo", "tcp"],
  ["mysql", "tcp"],
  ["redis", "tcp"],
  ["http2", "http2"],
  ["grpc", "http2"],
  ["grpc-web", "http2"],
  ["kubernetes.io/h2c", "http2"],
  ["udp", "udp"],
]);

const UNUSED_SPEC_FIELDS = [
  "allocateLoadBalancerNodePorts",
  "externalIPs",
  "externalName",
  "externalTrafficPolicy",
  "healthCheckNodePort",
  "internalTrafficPolicy",
  "ipFamilies",
  "ipFamily",
  "ipFamilyPolicy",
  "loadBalancerClass",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "sessionAffinity",
  "sessionAffinityConfig",
  "topologyKeys",
  "trafficDistribution",
];

export function service(meta: ResourceMeta, root: Fields): Service {
  const spec = root.section("spec");
  const selector = spec.stringMap("selector", { key: labelKeyProblem, value: labelValueProblem });
  const ports = spec.list("ports");
  const parsed = ports.map((port) => servicePort(port, ports.length));
  reportTwice(ports, { field: "name", values: parsed.map(({ name }) => name) });
  reportTwice(ports, { field: "port", values: parsed.map(({ port }) => port) });
  const headless = isHeadless(spec);
  checkType(spec, headless ? "headless" : "with-address");
  spec.unused(UNUSED_SPEC_FIELDS);
  return {
    kind: "Service",
    meta,
    selector,
    ports: parsed,
    headless,
    publishNotReadyAddresses: spec.flag("publishNotReadyAddresses", "off"),
  };
}

/** `kubectl get -o yaml` gives `clusterIPs: [None]` beside `clusterIP: None`; other addresses are the mesh's to choose. */
function isHeadless(spec: Fields): boolean {
  const headless = spec.text("clusterIP") === "None";
  const alsoHeadless = spec.texts("clusterIPs").includes("None");
  if (alsoHeadless && !headless) spec.report("clusterIPs", "says None, but clusterIP does not");
  if (!headless) spec.unused(["clusterIP", "clusterIPs"]);
  return headless;
}

function checkType(spec: Fields, addressing: "headless" | "with-address"): void {
  const types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;
  const type = spec.choice("type", types, "ClusterIP");
  if (type === "ExternalName") spec.report("type", "not supported yet: ExternalName");
  else if (type !== "ClusterIP") spec.unused(["type"]);
  if (!spec.saysNothing("ports") || type === "ExternalName") return;
  if (addressing === "headless") {
    spec.notice("ports", "has none, so the name of the service is not answered here yet");
  } else {
    spec.report("ports", "must have at least one port");
  }
}

function servicePort(fields: Fields, portCount: number): ServicePort {
  const name = fields.text("name", labelNameProblem) ?? "";
  if (name === "" && portCount > 1 && !fields.has("name")) {
    fields.reportHere("needs a name, because the service has several ports");
  }
  const port = requiredPort(fields, "port");
  const targetPort = fields.portOrName("targetPort", portNameProblem) ?? port;
  transportProtocol(fields);
  fields.unused(["nodePort"]);
  return { name, port, targetPort, protocol: declaredProtocol(fields, { name, port }) };
}

/** `appProtocol`, else the port's name up to its first "-"; names are not case-sensitive. */
function declaredProtocol(
  fields: Fields,
  { name, port }: { readonly name: string; readonly port: number },
): PortProtocol {
  const field = fields.has("appProtocol") ? "appProtocol" : "name";
  const declared = (fields.text("appProtocol") ?? name).toLowerCase();
  const prefix = declared.startsWith("grpc-web") ? "grpc-web" : declared.split("-", 1)[0];
  const protocol = PROTOCOLS.get(declared) ?? PROTOCOLS.get(prefix ?? "");
  if (protocol === undefined) return SERVER_FIRST_PORTS.includes(port) ? "tcp" : "auto";
  if (protocol !== "udp") return protocol;
  fields.report(field, "says UDP, which is not supported");
  return "tcp";
}
