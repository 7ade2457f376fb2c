/**
 * From one state of authorization to another by way of those between, each of which refuses what both ends refuse. Made once
 * for all proxies that go the same way.
 */
import type { ExtensionConfig } from "../../envoy/envoy-json.ts";
import type { EncodedResources } from "./encoded-resources.ts";
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
  return (has, next) => {
    if (has === next) return [];
    const from = known.get(has) ?? new WeakMap<ResourceSet, readonly ResourceSet[]>();
    known.set(has, from);
    const way = from.get(next) ?? wayOf(has, next, { steps, encoded });
    from.set(next, way);
    return way;
  };
}

function wayOf(
  has: ResourceSet,
  next: ResourceSet,
  { steps, encoded }: { readonly steps: AuthorizationSteps; readonly encoded: EncodedResources },
): readonly ResourceSet[] {
  const configs = (set: ResourceSet) => encoded.listOf(set) as readonly ExtensionConfig[];
  const between = steps(configs(has), configs(next)).slice(0, -1);
  return [...between.map((step) => encoded.setOf(AUTHORIZATION, step)), next];
}
