/** What `x describe` says of a service that selects a pod: its ports, and what decides about each in the pod's proxy. */
import type { EnvoyConfig } from "../../../envoy/envoy-json.ts";
import type { Labels, PodObject, ServiceObject, ServicePortObject } from "./cluster-objects.ts";
import { type DescribedCluster, indented, RULER, shortName } from "./description.ts";
import { destinationRuleLines } from "./destination-rule-lines.ts";
import { rulesFor } from "./proxy-rules.ts";
import { virtualServiceLines } from "./virtual-service-lines.ts";

export interface DescribedServices {
  readonly services: readonly ServiceObject[];
  /** Whose ports are told. */
  readonly pod: PodObject;
  /** Of all pods that are meant. */
  readonly podsLabels: readonly Labels[];
  /** The pod's proxy's. */
  readonly config: EnvoyConfig;
}

export function servicesLines(
  { services, ...about }: DescribedServices,
  cluster: DescribedCluster,
): readonly string[] {
  return services.flatMap((service, index) => [
    ...(index === 0 ? [] : [RULER]),
    ...serviceLines(service, about, cluster),
  ]);
}

function serviceLines(
  service: ServiceObject,
  { pod, podsLabels, config }: Omit<DescribedServices, "services">,
  cluster: DescribedCluster,
): readonly string[] {
  const ports = service.spec?.ports ?? [];
  const several = ports.length > 1;
  return [
    `Service: ${shortName(service.metadata, cluster)}`,
    ...ports.flatMap((port) => portLine(port, pod)),
    ...ports.flatMap(({ port }) => {
      const rules = rulesFor({ service, port, config }, cluster);
      const { policies, destinationRule: rule, virtualService } = rules;
      return [
        ...(several ? [`${port}:`] : []),
        ...indented(
          rule === undefined ? [] : destinationRuleLines(rule, podsLabels, cluster),
          several ? 3 : 0,
        ),
        ...indented(
          virtualService === undefined
            ? []
            : virtualServiceLines(virtualService, { service, rule, podsLabels }, cluster),
          several ? 3 : 0,
        ),
        ...rules.stale,
        ...(policies.length === 0
          ? []
          : [`${several ? `${port} ` : ""}RBAC policies: ${policies.join(", ")}`]),
      ];
    }),
  ];
}

/** Ports of UDP are passed over. */
function portLine(port: ServicePortObject, pod: PodObject): readonly string[] {
  if (port.protocol !== "TCP") return [];
  const target = targetPortOf(port, pod);
  if (target === undefined) return [`   no suitable port for manifest: ${String(port.targetPort)}`];
  const name = port.name ?? "";
  return [`   Port: ${name} ${port.port}/${protocolOf(port)} targets pod port ${target}`];
}

/** @returns undefined where the pod has no port of that name */
export function targetPortOf(
  { port, targetPort }: ServicePortObject,
  { spec }: PodObject,
): number | undefined {
  if (typeof targetPort !== "string") return targetPort || port;
  const ports = (spec?.containers ?? []).flatMap(({ ports: own = [] }) => own);
  return ports.find(({ name }) => name === targetPort)?.containerPort;
}

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["tcp", "TCP"],
  ["udp", "UDP"],
  ["grpc", "GRPC"],
  ["grpc-web", "GRPCWeb"],
  ["http", "HTTP"],
  ["http_proxy", "HTTP_PROXY"],
  ["http2", "HTTP2"],
  ["https", "HTTPS"],
  ["tls", "TLS"],
  ["mongo", "Mongo"],
  ["mysql", "MySQL"],
  ["redis", "Redis"],
  ["hbone", "HBONE"],
  ["kubernetes.io/h2c", "HTTP2"],
  ["kubernetes.io/ws", "HTTP"],
  ["kubernetes.io/wss", "HTTPS"],
]);
/** Of ports that are known for what is spoken on them. */
const WELL_KNOWN: ReadonlyMap<number, string> = new Map([
  [25, "TCP"],
  [53, "TCP"],
  [853, "TCP"],
  [3306, "MySQL"],
  [27017, "Mongo"],
]);

function protocolOf({ name = "", port, appProtocol }: ServicePortObject): string {
  if (name === "" && appProtocol === undefined) return "auto-detect";
  const spoken = (appProtocol ?? name).toLowerCase();
  const known =
    PROTOCOLS.get(spoken) ??
    (spoken.startsWith("grpc-web") ? "GRPCWeb" : undefined) ??
    (appProtocol === undefined ? PROTOCOLS.get(spoken.split("-")[0] ?? "") : undefined);
  return known ?? WELL_KNOWN.get(port) ?? "UnsupportedProtocol";
}
