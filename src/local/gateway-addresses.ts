/** Where people reach what a gateway serves, from this machine: addresses that can be called as they are written. */
import { buildWorkloadView } from "../policy/build-workload-view.ts";
import type { GatewayListener, GatewayServer } from "../policy/gateway-view.ts";
import { isBehind, type MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { targetContainerPort } from "../policy/service-target.ts";
import type { SocketAddress, Workload } from "../policy/workload.ts";
import type { PublishedPort, PublishOutcome } from "./network/host-side.ts";

export interface GatewayAddress {
  /** As clients name them; with `*` for any. */
  readonly hosts: readonly string[];
  readonly speaks: "https" | "http" | "tls" | "tcp";
  /** As the Gateway says. */
  readonly port: number;
  readonly listen: SocketAddress;
  /** Why nobody gets in. */
  readonly problem?: string;
  /** Why the host does not offer the address, so that whatever answers there is something else. */
  readonly notOffered?: string;
}

/** @param published of services, where pods have networks of their own */
export function gatewayAddresses(
  { namespace, name }: Pick<Workload, "namespace" | "name">,
  {
    snapshot,
    published,
  }: { readonly snapshot: MeshSnapshot; readonly published: readonly PublishOutcome[] },
): readonly GatewayAddress[] {
  const workload = snapshot.workloads.find(
    (one) => one.namespace === namespace && one.name === name,
  );
  if (!workload?.gateway) return [];
  const { listeners } = buildWorkloadView(snapshot, workload).gateway ?? { listeners: [] };
  return listeners.flatMap((listener) => {
    const place = placeOf(listener, { workload, snapshot, published });
    if (place === undefined) return [];
    return listener.servers.map((server) => ({ ...told(server), port: listener.port, ...place }));
  });
}

/** What is to be offered, with what became of it as far as the host has said. */
export function withOutcomes(
  published: readonly PublishedPort[],
  outcomes: readonly PublishOutcome[],
): readonly PublishOutcome[] {
  return published.map((port) => {
    const places = [port.listen, ...(port.otherwise ? [port.otherwise] : [])];
    const outcome = outcomes.find(
      ({ service, port: number, listen }) =>
        service === port.service &&
        number === port.port &&
        places.some((place) => place.address === listen.address && place.port === listen.port),
    );
    return outcome ?? port;
  });
}

function told(server: GatewayServer): Pick<GatewayAddress, "hosts" | "speaks" | "problem"> {
  const { tls, traffic, serverNames } = server;
  const isHttp = traffic.is === "http";
  if (tls === undefined) {
    const hosts = isHttp ? traffic.virtualHosts.flatMap(({ domains }) => domains) : [];
    return { hosts, speaks: isHttp ? "http" : "tcp" };
  }
  const problem = tls.problem === undefined ? {} : { problem: tls.problem };
  return { hosts: serverNames, speaks: isHttp ? "https" : "tls", ...problem };
}

/** A pod with a network of its own is reached by what the host offers of its service. */
function placeOf(
  { containerPort, listen }: GatewayListener,
  {
    workload,
    snapshot,
    published,
  }: {
    readonly workload: Workload;
    readonly snapshot: MeshSnapshot;
    readonly published: readonly PublishOutcome[];
  },
): Pick<GatewayAddress, "listen" | "notOffered"> | undefined {
  if (workload.addresses === undefined) return { listen };
  for (const { service } of snapshot.services) {
    if (!isBehind(service, workload)) continue;
    const port = service.ports.find(
      (one) =>
        (targetContainerPort(one, workload)?.containerPort ?? one.targetPort) === containerPort,
    );
    const name = `${service.meta.namespace}/${service.meta.name}`;
    const offered = published.find((one) => one.service === name && one.port === port?.port);
    if (offered === undefined) continue;
    const { problem } = offered;
    return { listen: offered.listen, ...(problem !== undefined && { notOffered: problem }) };
  }
  return undefined;
}
