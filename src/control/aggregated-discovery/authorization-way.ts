/**
 * From one state of authorization to another by way of those between, each of which refuses what both ends refuse. Made once
 * for all proxies that go the same way.
 */
import type { ExtensionConfig } from "../../envoy/envoy-json.ts";
import type { EncodedResources, ProxyResources } from "./encoded-resources.ts";
import type { AuthorizationWay } from "./proxy-conversation.ts";
import type { ResourceSet } from "./resource-set.ts";
import { AUTHORIZATION } from "./resource-types.ts";

/** Each step is all that a proxy is to have then, and is sent once the one before is acknowledged; the last is `next`. */
export type AuthorizationSteps = (
  old: readonly ExtensionConfig[],
  next: readonly ExtensionConfig[],
) => readonly (readonly ExtensionConfig[])[];

export function authorizationWay(
  steps: AuthorizationSteps,
  encoded: EncodedResources,
): AuthorizationWay {
  const known = new WeakMap<ResourceSet, WeakMap<ResourceSet, readonly ResourceSet[]>>();
  return (before, next) => {
    const [old, newest] = [before.encoded.extensionConfigs, next.encoded.extensionConfigs];
    if (old === newest) return [];
    const from = known.get(old) ?? new WeakMap<ResourceSet, readonly ResourceSet[]>();
    known.set(old, from);
    const way = from.get(newest) ?? wayOf(before, next, { steps, encoded });
    from.set(newest, way);
    return way;
  };
}

function wayOf(
  before: ProxyResources,
  next: ProxyResources,
  { steps, encoded }: { readonly steps: AuthorizationSteps; readonly encoded: EncodedResources },
): readonly ResourceSet[] {
  const between = steps(before.json.extensionConfigs, next.json.extensionConfigs).slice(0, -1);
  const way = between.map((step) => encoded.setOf(AUTHORIZATION, step));
  return [...way, next.encoded.extensionConfigs];
}
