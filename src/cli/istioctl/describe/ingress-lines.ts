/** Whether services are reached from outside: by the Gateways that their VirtualServices name, and where these are. */
import type { EnvoyConfig } from "../../../envoy/envoy-json.ts";
import {
  findObject,
  type GatewayObject,
  hasLabels,
  type Labels,
  namespaceOf,
  type PodObject,
  type ServiceObject,
} from "./cluster-objects.ts";
import { type DescribedCluster, RULER } from "./description.ts";
import { rulesFor } from "./proxy-rules.ts";
import { targetPortOf } from "./service-lines.ts";
import { virtualServiceLines } from "./virtual-service-lines.ts";

interface Ingress {
  readonly service: ServiceObject;
  readonly pods: readonly PodObject[];
}

const INGRESS: Labels = { istio: "ingressgateway" };
/** The gateway that means all sidecars. */
const MESH = "mesh";
const HTTP_PORTS = ["http", "http2"];
const DEFAULT_PORT = 80;

export async function ingressLines(
  services: readonly ServiceObject[],
  podsLabels: readonly Labels[],
  cluster: DescribedCluster,
): Promise<readonly string[]> {
  const { objects } = cluster;
  const pods = objects.pods.filter(
    ({ metadata, status }) => hasLabels(metadata.labels, INGRESS) && status?.phase === "Running",
  );
  if (pods.length === 0) return ["Skipping Gateway information (no ingress gateway pods)"];
  const ingresses = ingressesOf(pods, objects.services);
  const lines: string[] = [];
  if (ingresses.length === 0)
    lines.push("Skipping Gateway information (no ingress gateway service)");
  const told = new Set<string>();
  for (const { metadata } of pods) {
    const own = { namespace: namespaceOf(metadata), name: metadata.name };
    const config = await cluster.configOf(own);
    const about = { ingresses, podsLabels, config, told };
    for (const service of services) lines.push(...linesOf(service, about, cluster));
  }
  return lines;
}

function ingressesOf(
  pods: readonly PodObject[],
  services: readonly ServiceObject[],
): readonly Ingress[] {
  return services
    .map((service) => ({
      service,
      pods: pods.filter(
        ({ metadata }) =>
          namespaceOf(metadata) === namespaceOf(service.metadata) &&
          service.spec?.selector !== undefined &&
          hasLabels(metadata.labels, service.spec.selector),
      ),
    }))
    .filter((one) => one.pods.length > 0);
}

function linesOf(
  service: ServiceObject,
  {
    ingresses,
    podsLabels,
    config,
    told,
  }: {
    readonly ingresses: readonly Ingress[];
    readonly podsLabels: readonly Labels[];
    readonly config: EnvoyConfig;
    /** Gateways of which there is nothing more to say. */
    readonly told: Set<string>;
  },
  cluster: DescribedCluster,
): readonly string[] {
  return (service.spec?.ports ?? []).flatMap(({ port }) => {
    const rules = rulesFor({ service, port, config }, cluster);
    const { virtualService: virtual, destinationRule: rule, stale } = rules;
    if (virtual === undefined) return stale;
    const named = (virtual.spec?.gateways ?? []).filter((name) => name !== "" && name !== MESH);
    const gateways = named.flatMap((text) => {
      const [first = "", second] = text.split("/");
      const namespace = second === undefined ? namespaceOf(virtual.metadata) : first;
      const name = second ?? first;
      const key = `${namespace}/${name}`;
      if (told.has(key)) return [];
      told.add(key);
      const gateway = findObject(cluster.objects.gateways, { namespace, name });
      return gateway === undefined ? [] : [gateway];
    });
    return [
      ...stale,
      ...gateways.flatMap((gateway) => {
        const exposing = exposed(gateway, ingresses);
        const lines = virtualServiceLines(virtual, { service, rule, podsLabels }, cluster);
        return exposing === undefined ? [] : [RULER, ...exposing, ...lines];
      }),
    ];
  });
}

/** @returns undefined where no ingress has the Gateway */
function exposed(
  { spec }: GatewayObject,
  ingresses: readonly Ingress[],
): readonly string[] | undefined {
  const matching = ingresses.filter(({ pods }) =>
    pods.some(({ metadata }) => hasLabels(metadata.labels, spec?.selector)),
  );
  if (matching.length === 0) return undefined;
  const byAddress = matching.toSorted((one, other) => (addressOf(one) < addressOf(other) ? -1 : 1));
  return byAddress.flatMap((ingress) =>
    (ingress.service.spec?.ports ?? [])
      .filter(({ name = "", protocol }) => protocol === "TCP" && HTTP_PORTS.includes(name))
      .filter((port) => ingress.pods[0] && targetPortOf(port, ingress.pods[0]) !== undefined)
      .map(({ port }) => {
        const suffix = port === DEFAULT_PORT ? "" : `:${port}`;
        return `Exposed on Ingress Gateway http://${addressOf(ingress)}${suffix}`;
      }),
  );
}

function addressOf({ service, pods }: Ingress): string {
  return service.status?.loadBalancer?.ingress?.[0]?.ip ?? pods[0]?.status?.hostIP ?? "unknown";
}
