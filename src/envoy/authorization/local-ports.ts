/** On which port connections to a container's port arrive at its proxy. */
import type { Inbound, WorkloadView } from "../../policy/workload-view.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import type { PortOf } from "./linear/permissions.ts";

/** The same where the kernel leads them there; on loopback the proxy has ports of its own, for declared ones alone. */
export function localPortOf(
  {
    inbound,
    gateway,
  }: Pick<WorkloadView, "gateway"> & { readonly inbound: Pick<Inbound, "ports"> },
  { capture }: Pick<ProxySettings, "capture">,
): PortOf {
  if (capture !== undefined) return (port) => port;
  const taken = [...inbound.ports, ...(gateway?.listeners ?? [])];
  const local = new Map(taken.map(({ containerPort, listen }) => [containerPort, listen.port]));
  return (port) => local.get(port);
}
