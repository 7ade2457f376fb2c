/**
 * Authorization ahead of all else that a change comes to: it is small, the same for many proxies, and nothing is as urgent.
 * The rest of a view, which takes longer to be made, follows.
 */
import { isOfKind, type JudgedKind } from "../../envoy/authorization/discovered-authorization.ts";
import {
  capturedAuthorization,
  discoveredAuthorization,
} from "../../envoy/authorization-filters.ts";
import type { ExtensionConfig } from "../../envoy/envoy-json.ts";
import type { AuthorizeChain, JudgedChain } from "../../envoy/inbound/judged-chain.ts";
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import { remembered } from "../../envoy/remembered.ts";
import type { EffectiveAuthorization, Trust, WorkloadView } from "../../policy/workload-view.ts";
import type { EncodedResources, ProxyResources } from "./encoded-resources.ts";
import type { ResourceSet } from "./resource-set.ts";
import { AUTHORIZATION } from "./resource-types.ts";

export interface HeldByProxy {
  readonly settings: ProxySettings;
  readonly before: ProxyResources;
}

/** @returns what the proxy has, with the authorization of this view; undefined where that takes more than new content */
export type EarlyAuthorization = (
  view: WorkloadView,
  held: HeldByProxy,
) => ProxyResources | undefined;

/** With a chain of each kind. */
const KINDS: readonly (JudgedKind & Pick<JudgedChain, "transport">)[] = (
  ["http", "tcp"] as const
).flatMap((level) => [
  { level, peer: "mesh", transport: "mesh-tls" },
  { level, peer: "nobody", transport: "plaintext" },
]);

export function earlyAuthorization(encoded: EncodedResources): EarlyAuthorization {
  const replacedForAll = remembered(
    (
      authorization: EffectiveAuthorization,
      trust: Trust,
      settings: ProxySettings,
      had: ResourceSet,
    ) => replaced(capturedAuthorization(authorization, trust, settings), configsOf(encoded, had)),
  );
  return (view, { settings, before }) => {
    const { inbound, trust } = view;
    const had = before.encoded.extensionConfigs;
    const { configs } =
      settings.capture === undefined // ports of rules are each proxy's own
        ? replaced(discoveredAuthorization(view, settings), configsOf(encoded, had))
        : replacedForAll(inbound.authorization, trust, settings, had);
    if (configs === undefined) return undefined;
    const json = { ...before.json, extensionConfigs: configs };
    const extensionConfigs = encoded.setOf(AUTHORIZATION, configs);
    return { json, encoded: { ...before.encoded, extensionConfigs } };
  };
}

function configsOf(encoded: EncodedResources, set: ResourceSet): readonly ExtensionConfig[] {
  return encoded.listOf(set) as readonly ExtensionConfig[];
}

/** Only where the same resources stay, with other content: what listeners name is told with the listeners. */
function replaced(
  authorize: AuthorizeChain,
  had: readonly ExtensionConfig[],
): { readonly configs?: readonly ExtensionConfig[] } {
  const kinds = KINDS.filter((kind) => had.some(({ name }) => isOfKind(name, kind)));
  const made = kinds.flatMap(
    ({ level, transport }) => authorize({ name: "", level, transport }).extensionConfigs,
  );
  const next = new Map(made.map((config) => [config.name, config]));
  if (had.length === 0 || had.some(({ name }) => !next.has(name))) return {};
  return { configs: had.flatMap(({ name }) => next.get(name) ?? []) };
}
