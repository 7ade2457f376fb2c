/**
 * Where a pod's probes go. The supervisor is to a pod what a kubelet is, and needs no identity for it: it asks the
 * application itself, from within the pod, so that no port has to be open for it that others could use (INJ-27). Only a
 * pod that does not want its probes rewritten is called as anybody calls it.
 */
import type { Socket } from "node:net";
import type { SocketAddress, Workload, WorkloadPort } from "../../policy/workload.ts";
import type { PlannedPod } from "../mesh-plan.ts";

export interface ProbedPlace {
  /** Where a container's port is reached; undefined where the pod has no such port. */
  readonly address: (containerPort: number) => SocketAddress | undefined;
  /** The same for a port that the application itself names when it redirects. */
  readonly redirected: (port: number) => SocketAddress | undefined;
  readonly connect: (address: SocketAddress) => Socket;
}

export interface Dialling {
  /** As the pod's own programs connect: no sidecar stands in between. */
  readonly fromWithin: (address: SocketAddress) => Socket;
  readonly fromOutside: (address: SocketAddress) => Socket;
}

export function probedPlace(
  { workload, template }: Pick<PlannedPod, "workload" | "template">,
  { fromWithin, fromOutside }: Dialling,
): ProbedPlace {
  const passesBy = !workload.injected || template.probeRewriting === "on";
  const connect = passesBy ? fromWithin : fromOutside;
  const { addresses } = workload;
  if (addresses === undefined) {
    return { ...portsOnLoopback(workload, passesBy ? "application" : "listen"), connect };
  }
  // Every port of its addresses is the pod's, declared or not.
  const address = (port: number): SocketAddress => ({ address: addresses.ipv4, port });
  return { address, redirected: address, connect };
}

/** Others are on the loopback too: a redirect leads to the pod's own ports, under either of their numbers. */
function portsOnLoopback(
  { ports }: Workload,
  end: "application" | "listen",
): Pick<ProbedPlace, "address" | "redirected"> {
  const find = (isIt: (port: WorkloadPort) => boolean): SocketAddress | undefined =>
    ports.find(isIt)?.[end];
  const address: ProbedPlace["address"] = (wanted) =>
    find(({ containerPort }) => containerPort === wanted);
  return {
    address,
    redirected: (wanted) =>
      find(({ application, listen }) => [application.port, listen.port].includes(wanted)) ??
      address(wanted),
  };
}
