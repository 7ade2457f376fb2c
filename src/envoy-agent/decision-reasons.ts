/**
 * Why Envoy refused a call, or let it through. Rules are found by judging again with what Envoy tells of the call. It tells
 * no headers and no claims: a rule that asks for such is named only where nothing else can have decided.
 */

import { BLOCK_ALL } from "../envoy/routes/unknown-host.ts";
import type { Delegation, NearestMiss, Origin, Reason, RuleRef } from "../policy/decision.ts";
import type { GatewayServer } from "../policy/gateway-view.ts";
import type { AppliedPolicy, EffectiveMutualTls, WorkloadView } from "../policy/workload-view.ts";
import { handshakeInWords } from "./handshake-in-words.ts";
import { judgedAgain, portOf } from "./judged-again.ts";
import { namedRule, onlyDelegation, policyAt } from "./named-rule.ts";
import type { ToldCall } from "./told-call.ts";
import { asksUntold, isUntold } from "./untold.ts";

const NO_CHAIN = "filter_chain_not_found";
const RBAC = /^rbac_access_denied_matched_policy\[(.*)\]$/;
const TOKEN = /^jwt_authn_access_denied\{(.*)\}$/;
const AUTHORIZER = /^ext_authz_(?:denied|error)$/;
const LIMITED = /^(?:local_rate_limited|request_rate_limited|rate_limiter_error)$/;
const STRANGER = /^(?:no|invalid)_credential_for_basic_auth$/;
const NETWORK_POLICY = "network-policy";
/** To which callers are led whose destination is none. */
const NOWHERE = "BlackHoleCluster";
const NOT_TOLD = "what Envoy does not tell";

type AuthorizationRule = AppliedPolicy["rules"][number];

/** On whose behalf it was judged: a gateway judges its callers as a callee does, and by servers of its own. */
export type JudgingSide = "caller" | "callee" | "gateway";

/** @returns undefined for a call that nobody refused */
export function refusalReason(
  call: ToldCall,
  view: WorkloadView,
  side: JudgingSide,
): Reason | undefined {
  const { entry, failedHandshake, limitedBy } = call;
  if (limitedBy !== undefined) return { because: "told-by-envoy", details: limitedBy };
  if (failedHandshake !== undefined)
    return {
      because: "peer-not-verified",
      problem: handshakeInWords(
        failedHandshake.problem,
        entry.reporter === "destination" ? view.trust : undefined,
      ),
    };
  if (side === "caller") return callerRefusal(call);
  const details = entry.response_code_details ?? entry.connection_termination_details ?? "";
  const [, id] = RBAC.exec(details) ?? [];
  if (id !== undefined) return deniedBy(id, call, view);
  const [, problem] = TOKEN.exec(details) ?? [];
  if (problem !== undefined)
    return { because: "token-refused", problem: problem.replaceAll("_", " "), rules: [] };
  if (AUTHORIZER.test(details)) return authorizerReason(details, call, view);
  if (LIMITED.test(details)) return { because: "told-by-envoy", details };
  const isRefused =
    details === NO_CHAIN || (entry.response_flags === "NR" && entry.method === null);
  if (!isRefused) return undefined;
  return side === "gateway"
    ? { because: "peer-not-verified", problem: "no server of the gateway is for such a connection" }
    : chainReason(call, view);
}

/** What a pod's own calls are refused for. */
function callerRefusal({ entry, routeName }: ToldCall): Reason | undefined {
  if (STRANGER.test(entry.response_code_details ?? ""))
    return {
      because: "not-own-workload",
      problem: "no valid credentials for the pod's HTTP proxy",
    };
  const isUnknown =
    entry.upstream_cluster === NOWHERE || (isAnsweredByEnvoy(entry) && routeName === BLOCK_ALL);
  return isUnknown ? { because: "unknown-destination" } : undefined;
}

/** Users' routes may have any name: one that leads somewhere is none of a host that is unknown. */
function isAnsweredByEnvoy(entry: ToldCall["entry"]): boolean {
  return entry.response_code_details === "direct_response" && entry.response_code === 502;
}

/** Of a call that was let through. */
export function allowedReason(call: ToldCall, view: WorkloadView): Reason {
  const enforced = inForce(view.inbound.authorization.allow);
  if (enforced.length === 0) return { because: "no-allow-policy" };
  const matched = allowedBy(enforced, call, view);
  return matched === undefined
    ? { because: "told-by-envoy", details: "an ALLOW rule matched, and Envoy does not tell which" }
    : { because: "matched-allow", matched };
}

/** Either nothing that Envoy does not tell counts, or it is all that one rule alone still wants. */
function allowedBy(
  allow: readonly AppliedPolicy[],
  call: ToldCall,
  view: WorkloadView,
): RuleRef | undefined {
  const { reason } = judgedAgain(call, view).decision;
  if (reason.because === "matched-allow")
    return isTold(ruleOf(allow, reason.matched)) ? reason.matched : undefined;
  if (reason.because !== "no-allow-matched") return undefined;
  const rules = rulesOf(allow);
  if (rules.filter(asksUntold).length === 1) {
    const asTold = judgedAgain(call, view, "as if it were told").decision.reason;
    return asTold.because === "matched-allow" ? asTold.matched : undefined;
  }
  // The nearest are few: of more rules than these, another may have matched.
  if (reason.nearest.length < rules.length) return undefined;
  const [first, ...others] = reason.nearest.filter((miss) => mayHaveMatched(miss, allow));
  return others.length === 0 ? first?.rule : undefined;
}

/** Of alternatives only the closest is told as unmet: another of them may have been met by what is not told. */
function mayHaveMatched({ rule, unmet }: NearestMiss, allow: readonly AppliedPolicy[]): boolean {
  const from = ruleOf(allow, rule)?.from ?? [];
  const hasUntold = from.length > 1 && asksUntold({ from, when: [] });
  return unmet.every((one) => isUntold(one) || (hasUntold && one.field.startsWith("from.")));
}

function deniedBy(id: string, call: ToldCall, view: WorkloadView): Reason {
  const { authorization } = view.inbound;
  if (id === "none") return keptOut(call, view) ?? noAllowMatched(call, view);
  const denied = namedRule(authorization.deny, id);
  if (denied !== undefined) return { because: "matched-deny", matched: denied };
  const matched = namedRule(authorization.custom, id);
  const provider = matched && policyAt(authorization.custom, matched.policy)?.provider;
  return matched === undefined || provider === undefined
    ? { because: "told-by-envoy", details: `policy ${id} matched` }
    : { because: "no-authorizer", problem: "nobody can be asked", provider, matched };
}

/** By NetworkPolicies, which are asked before all else. */
function keptOut(call: ToldCall, view: WorkloadView): Reason | undefined {
  const at = portOf(call, view);
  const port = view.inbound.ports.find(({ containerPort }) => containerPort === at);
  const listener = view.gateway?.listeners.find(({ containerPort }) => containerPort === at);
  const admission = (port ?? listener)?.admission;
  if (admission === undefined || admission.anyone) return undefined;
  // Certificates that a gateway takes of others prove no identity of the mesh.
  const isProven = port !== undefined || listener?.servers.some(isOfMesh);
  if (isProven && call.caller !== null && admission.identities.includes(call.caller))
    return undefined;
  return { because: NETWORK_POLICY, direction: "ingress", policies: admission.policies };
}

function isOfMesh({ tls }: GatewayServer): boolean {
  return tls?.mode === "ISTIO_MUTUAL";
}

/** First what lacks nothing but what is not told; otherwise the nearest, as if that were there. */
function noAllowMatched(call: ToldCall, view: WorkloadView): Reason {
  const { allow } = view.inbound.authorization;
  const considered = inForce(allow).map(({ ref }) => ref);
  const lacking = nearestOf(judgedAgain(call, view).decision.reason).filter(({ unmet }) =>
    unmet.every(isUntold),
  );
  const nearest =
    lacking.length > 0
      ? lacking.map(asTold)
      : nearestOf(judgedAgain(call, view, "as if it were told").decision.reason);
  return { because: "no-allow-matched", considered, nearest };
}

function nearestOf(reason: Reason): readonly NearestMiss[] {
  return reason.because === "no-allow-matched" ? reason.nearest : [];
}

function asTold({ rule, unmet }: NearestMiss): NearestMiss {
  return { rule, unmet: unmet.map((one) => ({ ...one, got: NOT_TOLD })) };
}

function authorizerReason(details: string, call: ToldCall, view: WorkloadView): Reason {
  const asked = askedAuthorizer(call, view);
  if (asked === undefined) return { because: "told-by-envoy", details };
  return details === "ext_authz_denied"
    ? { because: "authorizer-denied", ...asked }
    : { because: "authorizer-failed", ...asked, problem: "Envoy does not tell" };
}

/**
 * Whom Envoy asked, where it can have been nobody else. What is not told may have made a rule match that does not match
 * here: any of another policy, and of the same policy one before the rule that does.
 */
function askedAuthorizer(call: ToldCall, view: WorkloadView): Delegation | undefined {
  const custom = inForce(view.inbound.authorization.custom);
  const [asked, ...others] = judgedAgain(call, view).delegations;
  if (asked === undefined) return onlyDelegation(custom);
  if (others.length > 0) return undefined;
  const rules = rulesOf(custom);
  const counting = custom.length > 1 ? rules : rules.slice(0, asked.matched.rule + 1);
  return counting.some(asksUntold) ? onlyDelegation(custom) : asked;
}

/** No chain takes such a connection: it speaks what the port's mode forbids. */
function chainReason(call: ToldCall, view: WorkloadView): Reason | undefined {
  const { mode, origin } = mutualTlsOf(call, view) ?? {};
  if (origin === undefined) return undefined;
  if (mode === "DISABLE") return { because: "tls-refused", origin };
  return call.entry.requested_server_name === null
    ? { because: "plaintext-refused", origin }
    : { because: "peer-not-verified", problem: "it speaks TLS, and not that of the mesh" };
}

function mutualTlsOf(
  call: ToldCall,
  view: WorkloadView,
): EffectiveMutualTls | { readonly mode?: undefined; readonly origin?: Origin } | undefined {
  const at = portOf(call, view);
  const declared = view.inbound.ports.find(({ containerPort }) => containerPort === at);
  const others = view.interception?.undeclaredPorts;
  const ofItsOwn = others?.ports.find(({ containerPort }) => containerPort === at);
  return (declared ?? ofItsOwn ?? others)?.mutualTls;
}

function inForce(policies: readonly AppliedPolicy[]): readonly AppliedPolicy[] {
  return policies.filter(({ dryRun }) => dryRun === undefined);
}

function rulesOf(policies: readonly AppliedPolicy[]): readonly AuthorizationRule[] {
  return policies.flatMap(({ rules }) => rules);
}

function isTold(rule: AuthorizationRule | undefined): boolean {
  return rule !== undefined && !asksUntold(rule);
}

function ruleOf(
  policies: readonly AppliedPolicy[],
  { policy, rule }: RuleRef,
): AuthorizationRule | undefined {
  return policyAt(policies, policy)?.rules[rule];
}
