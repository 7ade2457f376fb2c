/**
 * The filters by which chains judge their callers: policies of the actions AUDIT, DENY and ALLOW. What decides is asked for
 * by name; the same as Istio writes it is for people and istioctl.
 */

import type { GatewayView } from "../policy/gateway-view.ts";
import type {
  EffectiveAuthorization,
  InboundPort,
  Trust,
  WorkloadView,
} from "../policy/workload-view.ts";
import {
  type DiscoveredContext,
  discoveredConfigs,
} from "./authorization/discovered-authorization.ts";
import { fingerprint } from "./authorization/fingerprint.ts";
import { linearFilters } from "./authorization/linear/linear-filters.ts";
import { localPortOf } from "./authorization/local-ports.ts";
import { type Level, RBAC_TYPES } from "./authorization/rbac-filter.ts";
import type { NetworkFilter } from "./envoy-json.ts";
import type { AuthorizeChain, ChainAuthorization } from "./inbound/judged-chain.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { remembered } from "./remembered.ts";

/** Rules up to which each is asked in turn: more of them cost more than a search. */
const LINEAR_UP_TO = 100;
/** Of Envoy: the first one that was seen to go on where a matcher within a matcher finds nothing. */
const FIRST_WITH_MATCHERS = [1, 40];

/** Istio's filters, rules inside; nothing is asked for. */
export function inlinedAuthorization({
  inbound: { authorization },
  trust,
}: Pick<WorkloadView, "inbound" | "trust">): AuthorizeChain {
  return ({ level }) => {
    const filters = linearFilters(authorization, { level, trust });
    return { filters, extensionConfigs: [], fingerprint: fingerprint(filters), form: "linear" };
  };
}

/** @param settings which forms the proxy knows, and on which ports connections reach it */
export function discoveredAuthorization(
  view: Pick<WorkloadView, "inbound" | "trust" | "gateway">,
  settings: ProxySettings,
): AuthorizeChain {
  const { inbound, trust, gateway = NO_GATEWAY } = view;
  return settings.capture === undefined
    ? onLoopback(inbound.authorization, trust, settings, inbound.ports, gateway)
    : capturedAuthorization(inbound.authorization, trust, settings);
}

const NO_GATEWAY: GatewayView = { listeners: [] };

/** Ports are what they are called: many proxies are given the same. */
export const capturedAuthorization: (
  authorization: EffectiveAuthorization,
  trust: Trust,
  settings: ProxySettings,
) => AuthorizeChain = remembered((authorization, trust, settings) =>
  byKind(authorization, { trust, settings, portOf: (port) => port }),
);

const onLoopback: (
  authorization: EffectiveAuthorization,
  trust: Trust,
  settings: ProxySettings,
  ports: readonly InboundPort[],
  gateway: GatewayView,
) => AuthorizeChain = remembered((authorization, trust, settings, ports, gateway) =>
  byKind(authorization, {
    trust,
    settings,
    portOf: localPortOf({ inbound: { ports }, gateway }, settings),
  }),
);

/** The same object for all chains of one kind. */
function byKind(
  authorization: EffectiveAuthorization,
  {
    trust,
    settings,
    portOf,
  }: Pick<DiscoveredContext, "trust" | "portOf"> & { readonly settings: ProxySettings },
): AuthorizeChain {
  const known = new Map<string, ChainAuthorization>();
  return ({ level, transport }) => {
    const peer = transport === "mesh-tls" ? "mesh" : "nobody";
    const key = `${level} ${peer}`;
    const made =
      known.get(key) ??
      discovered(authorization, {
        kind: { level, peer },
        trust,
        portOf,
        linearUpTo: settings.linearUpTo ?? LINEAR_UP_TO,
        form: hasMatchers(settings.version) ? "matcher" : "linear",
      });
    known.set(key, made);
    return made;
  };
}

function discovered(
  authorization: EffectiveAuthorization,
  context: DiscoveredContext,
): ChainAuthorization {
  const extensionConfigs = discoveredConfigs(authorization, context);
  let judgedBy: string | undefined;
  return {
    filters: extensionConfigs.map(({ name }) => named(context.kind.level, name)),
    extensionConfigs,
    /** Listeners alone need it, and it takes longer the more rules there are: what is urgent does not wait for it. */
    get fingerprint() {
      judgedBy ??= fingerprint(extensionConfigs);
      return judgedBy;
    },
    form: context.form,
  };
}

/** Until it is there the chain waits, and where it cannot be had, everything is denied. */
function named(level: Level, name: string): NetworkFilter {
  const type = RBAC_TYPES[level];
  const denial = { "@type": type, rules: {}, ...(level === "tcp" && { statPrefix: "tcp." }) };
  return {
    name,
    configDiscovery: {
      configSource: { ads: {}, resourceApiVersion: "V3" },
      defaultConfig: denial,
      applyDefaultConfigWithoutWarming: false,
      typeUrls: [type],
    },
  };
}

/** @param version as `1.40.0`; of one that cannot be read nothing new is expected */
function hasMatchers(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_WITH_MATCHERS;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
