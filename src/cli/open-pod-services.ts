/** What the proxy of a pod serves the pod's own programs, whichever proxy it is: each where the pod asks for it. */
import type {
  ProxylessAgent,
  ProxylessAgentOptions,
} from "../envoy-agent/proxyless/proxyless-agent.ts";
import type { SidecarBootstrap } from "../policy/sidecar-bootstrap.ts";
import { startPodWorkloadApi } from "../proxy/pod-workload-api.ts";
import type { Closable } from "./close-all.ts";

type Told = Omit<Parameters<typeof startPodWorkloadApi>[0], "settings"> &
  Omit<ProxylessAgentOptions, "settings">;

/**
 * The Workload API, and what gRPC programs need to be their own proxies.
 *
 * @param opened takes what is to be closed again, also where a later part fails
 * @throws ListenError
 */
export async function openPodServices(
  { workloadApi, proxyless }: Pick<SidecarBootstrap, "workloadApi" | "proxyless">,
  told: Told,
  opened: Closable[],
): Promise<void> {
  if (workloadApi !== undefined)
    opened.push(await startPodWorkloadApi({ ...told, settings: workloadApi }));
  if (proxyless !== undefined) opened.push(await startProxyless({ ...told, settings: proxyless }));
}

/** Loaded only where a pod has such programs. */
async function startProxyless(options: ProxylessAgentOptions): Promise<ProxylessAgent> {
  const { startProxylessAgent } = await import("../envoy-agent/proxyless/proxyless-agent.ts");
  return startProxylessAgent(options);
}
