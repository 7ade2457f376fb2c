/**
 * Authorization that Envoy asks for by name (ECDS): obeyed by live connections at once, where a change of the listener
 * would leave them what they had. Chains of one kind share what judges them, whatever their port.
 */
import type { AppliedPolicy, EffectiveAuthorization, Trust } from "../../policy/workload-view.ts";
import type { ExtensionConfig } from "../envoy-json.ts";
import { inForce, onTrial, shadowPrefix } from "./linear/linear-filters.ts";
import { linearRules } from "./linear/linear-rules.ts";
import type { PortOf } from "./linear/permissions.ts";
import { authorizationMatcher } from "./matcher/authorization-matcher.ts";
import { type Level, type RbacSettings, rbacSettings } from "./rbac-filter.ts";
import { ruleDemands } from "./rule-demands.ts";

export interface JudgedKind {
  readonly level: Level;
  /** Whether callers prove an identity. */
  readonly peer: "mesh" | "nobody";
}

export interface DiscoveredContext {
  readonly kind: JudgedKind;
  readonly trust: Trust;
  readonly portOf: PortOf;
  /** Rules up to which each is asked in turn. */
  readonly linearUpTo: number;
  /** Whether the proxy can ask DENY and ALLOW as one matcher. */
  readonly form: "matcher" | "linear";
}

/** In the order in which they judge: AUDIT, what is on trial, then what decides. */
export function discoveredConfigs(
  authorization: EffectiveAuthorization,
  context: DiscoveredContext,
): readonly ExtensionConfig[] {
  const { level } = context.kind;
  const observed: readonly [name: string, settings: RbacSettings | undefined][] = [
    ["audit", enforcing(inForce(authorization.audit), "AUDIT", context)],
    ["trial-deny", observing(onTrial(authorization.deny), "DENY", context)],
    ["trial-allow", observing(onTrial(authorization.allow), "ALLOW", context)],
  ];
  const observers = observed.flatMap(([name, settings]) =>
    settings === undefined ? [] : [config(level, nameOf(context.kind, name), settings)],
  );
  return [...observers, ...deciding(authorization, context)];
}

/** `authorization/http/mesh/deny` */
function nameOf({ level, peer }: JudgedKind, part?: string): string {
  const kind = `authorization/${level}/${peer}`;
  return part === undefined ? kind : `${kind}/${part}`;
}

/** Whether this is the name of what judges chains of that kind, or of a part of it. */
export function isOfKind(name: string, kind: JudgedKind): boolean {
  const whole = nameOf(kind);
  return name === whole || name.startsWith(`${whole}/`);
}

function config(level: Level, name: string, settings: RbacSettings): ExtensionConfig {
  return { name, typedConfig: rbacSettings(level, settings) };
}

/** Always there, also without policies: what is there can be changed while connections live. */
function deciding(
  authorization: EffectiveAuthorization,
  context: DiscoveredContext,
): readonly ExtensionConfig[] {
  const { kind, form } = context;
  const { level } = kind;
  const deny = inForce(authorization.deny);
  const allow = inForce(authorization.allow);
  if (form === "linear") {
    return [
      config(level, nameOf(kind, "deny"), enforcing(deny, "DENY", context) ?? {}),
      config(level, nameOf(kind, "allow"), enforcing(allow, "ALLOW", context) ?? {}),
    ];
  }
  // Without policies a peer has still to be one, and not several.
  const isOpen = kind.peer === "nobody" && deny.length === 0 && allow.length === 0;
  if (isOpen) return [config(level, nameOf(kind), {})];
  return [config(level, nameOf(kind), { matcher: matcherOf({ deny, allow }, context) })];
}

function matcherOf(
  { deny, allow }: Pick<EffectiveAuthorization, "deny" | "allow">,
  { kind, trust, portOf, linearUpTo }: DiscoveredContext,
): object {
  const denied = ruleDemands(deny, { action: "DENY", level: kind.level, trust });
  const allowed = ruleDemands(allow, { action: "ALLOW", level: kind.level, trust });
  return authorizationMatcher(
    { deny: denied, ...(allow.length > 0 && { allow: allowed }) },
    {
      kind: { peer: kind.peer, portOf },
      domains: trust,
      indexed: denied.length + allowed.length > linearUpTo,
    },
  );
}

function enforcing(
  policies: readonly AppliedPolicy[],
  action: "AUDIT" | "DENY" | "ALLOW",
  context: DiscoveredContext,
): RbacSettings | undefined {
  if (policies.length === 0) return undefined;
  const { kind, trust, portOf } = context;
  return { rules: linearRules(policies, { action, level: kind.level, trust, portOf }) };
}

/** AP-110, AP-111 */
function observing(
  policies: readonly AppliedPolicy[],
  action: "DENY" | "ALLOW",
  context: DiscoveredContext,
): RbacSettings | undefined {
  const shadowRules = enforcing(policies, action, context)?.rules;
  return shadowRules && { shadowRules, shadowRulesStatPrefix: shadowPrefix(shadowRules) };
}
