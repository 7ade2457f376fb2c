/** Which resources decide about a service, as a proxy's own configuration names them. */
import type { EnvoyConfig, EnvoyRoute, EnvoyVirtualHost } from "../../../envoy/envoy-json.ts";
import { HTTP_CONNECTION_MANAGER, HTTP_RBAC } from "../../../envoy/istio-names.ts";
import { configPath } from "../configured-by.ts";
import {
  type DestinationRuleObject,
  findObject,
  namespaceOf,
  type ObjectMeta,
  type ServiceObject,
  type VirtualServiceObject,
} from "./cluster-objects.ts";
import type { DescribedCluster } from "./description.ts";

export interface AskedService {
  readonly service: Pick<ServiceObject, "metadata">;
  /** Of the service. */
  readonly port: number;
  readonly config: EnvoyConfig;
}

export interface ProxyRules {
  readonly destinationRule?: DestinationRuleObject;
  readonly virtualService?: VirtualServiceObject;
  /** What is named, and is not there. */
  readonly stale: readonly string[];
  /** By the names of their rules. */
  readonly policies: readonly string[];
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

export function rulesFor(
  asked: AskedService,
  { objects }: Pick<DescribedCluster, "objects">,
): ProxyRules {
  const rule = namedIn(destinationRulePath(asked), "destination-rule");
  const virtual = namedIn(virtualServicePath(asked), "virtual-service");
  const destinationRule = rule && findObject(objects.destinationrules, rule);
  const virtualService = virtual && findObject(objects.virtualservices, virtual);
  return {
    ...(destinationRule && { destinationRule }),
    ...(virtualService && { virtualService }),
    stale: [
      ...(rule && !destinationRule ? [staleLine("destination rule", rule)] : []),
      ...(virtual && !virtualService ? [staleLine("virtual service", virtual)] : []),
    ],
    policies: policiesIn(asked.config),
  };
}

/** @returns as `/apis/networking.istio.io/v1/namespaces/shop/virtual-service/api`, or undefined */
export function virtualServicePath({ service, port, config }: AskedService): string | undefined {
  const ofPort = config.routes.filter(
    ({ name = "" }) => name === String(port) || /^https?\./.test(name),
  );
  for (const { virtualHosts = [] } of ofPort) {
    for (const host of virtualHosts) {
      const route = host.routes?.find((one) => leadsTo(one, host, { service, port }));
      if (route !== undefined) return configPath(route.metadata);
    }
  }
  return undefined;
}

function destinationRulePath({ service, port, config }: AskedService): string | undefined {
  const host = hostOf(service.metadata);
  const cluster = config.clusters.find(
    ({ name = "", metadata }) =>
      name.includes(host) &&
      name.includes("outbound") &&
      name.includes(`|${port}|`) &&
      metadata !== undefined,
  );
  return configPath(cluster?.metadata);
}

/** By a domain of the host, or by the first cluster of the route, as at a gateway. */
function leadsTo(
  { route }: EnvoyRoute,
  { domains = [] }: EnvoyVirtualHost,
  { service, port }: Omit<AskedService, "config">,
): boolean {
  const host = hostOf(service.metadata);
  if (domains.includes(host)) return true;
  const cluster = route?.cluster ?? route?.weightedClusters?.clusters?.[0]?.name ?? "";
  const [direction, ofPort, , ofHost] = cluster.split("|");
  return direction === "outbound" && ofPort === String(port) && ofHost === host;
}

function hostOf(metadata: ObjectMeta): string {
  return `${metadata.name}.${namespaceOf(metadata)}.svc.cluster.local`;
}

function namedIn(path: string | undefined, kind: string): Named | undefined {
  const [, namespace, found, name] =
    /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path ?? "") ?? [];
  return namespace === undefined || name === undefined || found !== kind
    ? undefined
    : { namespace, name };
}

function staleLine(what: string, { namespace, name }: Named): string {
  return `WARNING: Proxy is stale; it references to non-existent ${what} ${name}.${namespace}`;
}

/** Those of the first filter that judges requests which come in. */
function policiesIn({ listeners }: EnvoyConfig): readonly string[] {
  const inbound = listeners.filter(
    ({ name, trafficDirection, bindToPort }) =>
      name === "virtualInbound" || (trafficDirection === "INBOUND" && bindToPort !== false),
  );
  const manager = inbound
    .flatMap(({ filterChains = [] }) => filterChains)
    .flatMap(({ filters = [] }) => filters)
    .find(({ name }) => name === HTTP_CONNECTION_MANAGER);
  const rbac = (manager?.typedConfig?.httpFilters ?? []).find(({ name }) => name === HTTP_RBAC);
  return Object.keys(rbac?.typedConfig?.rules?.policies ?? {}).sort();
}
