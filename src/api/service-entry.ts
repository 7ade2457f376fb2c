/**
 * ServiceEntry: services that Kubernetes does not know of, mostly outside the mesh. What Istio itself refuses,
 * `webhook/service-entry.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/service-entry/
 */
import type { Fields } from "./decoder.ts";
import { type Exported, exported } from "./export-to.ts";
import { quoted } from "./quoted.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import type { PortProtocol } from "./service.ts";
import { type WorkloadAddress, workloadAddress } from "./workload-address.ts";

export interface ServiceEntry extends Exported {
  readonly kind: "ServiceEntry";
  readonly meta: ResourceMeta;
  /** In lower case, without a closing dot; the first label may be `*`. Each is a service of its own. */
  readonly hosts: readonly string[];
  /** IP addresses and ranges by which the application calls it, as written. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServiceEntryPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  /** How endpoints are found: not at all (the call goes where the application sent it), as given, or by their names. */
  readonly resolution: "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN";
  /** Empty with `DNS`: the hosts themselves are looked up. */
  readonly endpoints: readonly WorkloadAddress[];
  /** Which pods and WorkloadEntries of its namespace are endpoints; absent: none. */
  readonly workloadSelector?: Labels;
  /** Who the endpoints may prove to be, where nothing else says it (TLS-34, TLS-38). */
  readonly subjectAltNames: readonly string[];
  /** Whether it is given addresses where it has none. */
  readonly allocation: "automatic" | "off";
}

export interface ServiceEntryPort {
  readonly name: string;
  /** The port callers use. */
  readonly number: number;
  /** The port of the endpoints; absent: the same. */
  readonly targetPort?: number;
  readonly protocol: PortProtocol;
  /** The application speaks TLS by itself (HTTPS, TLS): its server name says which host it means. */
  readonly toldBySni?: true;
}

const ALLOCATION_LABEL = "networking.istio.io/enable-autoallocate-ip";

const PROTOCOLS: ReadonlyMap<string, Pick<ServiceEntryPort, "protocol" | "toldBySni">> = new Map([
  ["", { protocol: "auto" }],
  ["http", { protocol: "http" }],
  ["http_proxy", { protocol: "http" }],
  ["http2", { protocol: "http2" }],
  ["grpc", { protocol: "http2" }],
  ["grpc-web", { protocol: "http2" }],
  ["https", { protocol: "tcp", toldBySni: true }],
  ["tls", { protocol: "tcp", toldBySni: true }],
  ["tcp", { protocol: "tcp" }],
  ["mongo", { protocol: "tcp" }],
  ["mysql", { protocol: "tcp" }],
  ["redis", { protocol: "tcp" }],
]);

const LOCATIONS = ["MESH_EXTERNAL", "MESH_INTERNAL"] as const;
const RESOLUTIONS = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"] as const;

export function serviceEntry(meta: ResourceMeta, root: Fields): ServiceEntry {
  const spec = root.section("spec");
  return {
    kind: "ServiceEntry",
    meta,
    hosts: spec.texts("hosts").map((host) => host.toLowerCase().replace(/\.$/, "")),
    addresses: spec.texts("addresses"),
    ports: spec.list("ports").map(servicePort),
    location: spec.choice("location", LOCATIONS, "MESH_EXTERNAL"),
    resolution: resolutionOf(spec),
    endpoints: spec.list("endpoints").map(workloadAddress),
    ...(spec.has("workloadSelector") && {
      workloadSelector: spec.section("workloadSelector").stringMap("labels"),
    }),
    ...exported(spec, meta.namespace),
    subjectAltNames: spec.texts("subjectAltNames"),
    allocation: meta.labels[ALLOCATION_LABEL]?.toLowerCase() === "false" ? "off" : "automatic",
  };
}

function resolutionOf(spec: Fields): ServiceEntry["resolution"] {
  if (spec.text("resolution") !== "DYNAMIC_DNS") {
    return spec.choice("resolution", RESOLUTIONS, "NONE");
  }
  spec.report("resolution", "not supported yet: DYNAMIC_DNS; NONE serves a wildcard host, too");
  return "NONE";
}

function servicePort(fields: Fields): ServiceEntryPort {
  const targetPort = fields.integer("targetPort", { min: 0, max: 65_535 }) ?? 0;
  return {
    name: fields.text("name") ?? "",
    number: fields.integer("number", { min: 1, max: 65_535 }) ?? 0,
    ...(targetPort !== 0 && { targetPort }),
    ...protocolOf(fields),
  };
}

function protocolOf(fields: Fields): Pick<ServiceEntryPort, "protocol" | "toldBySni"> {
  const written = fields.text("protocol") ?? "";
  const known = PROTOCOLS.get(written.toLowerCase());
  if (known === undefined) fields.report("protocol", `not supported yet: ${quoted(written)}`);
  return known ?? { protocol: "tcp" };
}
