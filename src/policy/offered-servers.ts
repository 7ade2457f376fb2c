/** The servers that Istio's Gateways offer a gateway workload: which Gateways select it, and on which ports of its pod. */
import type { Gateway, GatewayServerSettings } from "../api/gateway.ts";
import { selects } from "../api/label-selector.ts";
import { quoted } from "../api/quoted.ts";
import { type OfferedServer, serverHost } from "./gateway-servers.ts";
import type { SecretLookup } from "./gateway-tls.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { boundVirtualServices } from "./routes/bound-routes.ts";
import { meshRouteSources } from "./routes/mesh-route-sources.ts";
import type { RouteSource } from "./routes/route-source.ts";
import { targetContainerPort } from "./service-target.ts";
import type { Workload } from "./workload.ts";

/** Whether Gateways are for workloads of their own namespace alone: `PILOT_SCOPE_GATEWAY_TO_NAMESPACE`. */
export type GatewayScope = "mesh" | "namespace";

export function offeredServers(
  snapshot: MeshSnapshot,
  workload: Workload,
): readonly OfferedServer[] {
  const secretNamed = secretsOf(snapshot, workload);
  return snapshot.gateways
    .filter((gateway) => isFor(gateway, workload, snapshot.gatewayScope))
    .flatMap((gateway) => {
      const sources = sourcesOf(snapshot, { gateway, workload });
      return gateway.servers.map((settings) => ({
        ...offer(gateway, settings),
        containerPort: containerPortOf(snapshot, { workload, port: settings.port.number }),
        secretNamed,
        sources,
      }));
    });
}

export function isFor(
  { selector, meta }: Gateway,
  { labels, namespace }: Pick<Workload, "labels" | "namespace">,
  scope: GatewayScope = "mesh",
): boolean {
  if (scope === "namespace" && meta.namespace !== namespace) return false;
  return selects(selector, labels);
}

function offer(
  { kind, meta }: Gateway,
  settings: GatewayServerSettings,
): Pick<OfferedServer, "origin" | "gateway" | "settings" | "port" | "hosts"> {
  const { namespace, name, source } = meta;
  return {
    origin: {
      ref: { kind, namespace, name },
      source: { file: source.file, line: settings.line },
    },
    gateway: `${namespace}/${name}`,
    settings,
    port: settings.port.number,
    hosts: settings.hosts.map((host) => serverHost(host, namespace)),
  };
}

function sourcesOf(
  snapshot: MeshSnapshot,
  { gateway, workload }: { readonly gateway: Gateway; readonly workload: Workload },
): readonly RouteSource[] {
  const { namespace, name } = gateway.meta;
  const bound = boundVirtualServices(snapshot, {
    gateway: `${namespace}/${name}`,
    namespace: workload.namespace,
  });
  return meshRouteSources(snapshot, bound);
}

/** The target port of a service in front of the pod that has the port; without any, the port itself. */
export function containerPortOf(
  { servicesByNamespace }: MeshSnapshot,
  { workload, port }: { readonly workload: Workload; readonly port: number },
): number {
  for (const { service, workloads } of servicesByNamespace.get(workload.namespace) ?? []) {
    if (!workloads.includes(workload)) continue;
    const found = service.ports.find((one) => one.port === port);
    const target = found && targetContainerPort(found, workload)?.containerPort;
    if (target !== undefined) return target;
    if (typeof found?.targetPort === "number") return found.targetPort;
  }
  return port;
}

/** Of the workload's own namespace, whatever the Gateway's. */
export function secretsOf(
  { secrets }: Pick<MeshSnapshot, "secrets">,
  { namespace }: Pick<Workload, "namespace">,
): SecretLookup {
  return (written) => {
    const [first = "", second] = written.replace(/^kubernetes:\/\//, "").split("/");
    const [owner, name] = second === undefined ? [namespace, first] : [first, second];
    if (owner !== namespace) {
      return `credentialName ${quoted(written)} is of another namespace than the gateway's pods, ${namespace}`;
    }
    return secrets.get(`${namespace}/${name}`) ?? `Secret ${namespace}/${name} is not there`;
  };
}
