/** What serves a pod's gRPC programs that are their own proxies, loaded only where a pod has any. */
import type {
  ProxylessAgent,
  ProxylessAgentOptions,
} from "../envoy-agent/proxyless/proxyless-agent.ts";

/** @throws ListenError */
export async function openProxyless(options: ProxylessAgentOptions): Promise<ProxylessAgent> {
  const { startProxylessAgent } = await import("../envoy-agent/proxyless/proxyless-agent.ts");
  return startProxylessAgent(options);
}
