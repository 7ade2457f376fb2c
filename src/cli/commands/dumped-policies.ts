/** `hauberk x authz check --file`: the AuthorizationPolicies that an Envoy has, told by its config dump. */
import { authorizationSummary } from "../istioctl/authorization-summary.ts";
import type { Print } from "../print-line.ts";
import { type ProxyConfigOptions, proxyDump, type SidecarOptions } from "./proxy-config.ts";

/** @throws NoConfigDumpError, also where there are both a pod and a file, or neither */
export async function dumpedPoliciesCommand(
  pod: string | undefined,
  options: SidecarOptions & Pick<ProxyConfigOptions, "file">,
  print: Print,
): Promise<number> {
  const { withPolicies } = await proxyDump(pod, options);
  for (const line of authorizationSummary(withPolicies.listeners)) print(line);
  return 0;
}
