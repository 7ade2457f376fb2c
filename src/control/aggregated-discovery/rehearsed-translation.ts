/** The same rehearsal for what Envoys are sent, where there are any. */
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import { rehearseChange } from "../rehearsed-change.ts";
import type { ProxyResources } from "./encoded-resources.ts";
import type { ProxyMaterial } from "./proxy-material.ts";

/** On loopback, and where the kernel leads connections. */
const SETTINGS: readonly ProxySettings[] = [
  { version: "1.40.0", capture: { inboundPort: 15_006, outboundPort: 15_001 } },
  { version: "1.40.0" },
];

/** @returns what the last of the proxies had, and is to have */
export function rehearseTranslation({
  resourcesOf,
  authorizedBy,
  authorizationWay,
}: Pick<ProxyMaterial, "resourcesOf" | "authorizedBy" | "authorizationWay">): {
  readonly before: ProxyResources;
  readonly after: ProxyResources;
} {
  const change = rehearseChange();
  const [first, ...others] = SETTINGS.map((settings) => {
    const before = resourcesOf(change.before, { settings });
    authorizedBy(change.after, { settings, before });
    const after = resourcesOf(change.after, { settings, before });
    authorizationWay(before.encoded.extensionConfigs, after.encoded.extensionConfigs);
    return { before, after };
  });
  const last = others.at(-1) ?? first;
  if (last === undefined) throw new RangeError("there are no settings");
  return last;
}
