/**
 * Why Envoy refused a call, or let it through. Rules are found by judging again with what Envoy tells of the call. It tells
 * no headers and no claims: a rule that asks for such is named only where nothing else can have decided.
 */
import type { NearestMiss, Origin, Reason, RuleRef } from "../policy/decision.ts";
import type { AppliedPolicy, EffectiveMutualTls, WorkloadView } from "../policy/workload-view.ts";
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

/** @returns undefined for a call that nobody refused */
export function refusalReason(
  call: ToldCall,
  view: WorkloadView,
  side: "caller" | "callee",
): Reason | undefined {
  const { entry } = call;
  if (side === "caller") return callerRefusal(entry);
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
  return isRefused ? chainReason(call, view) : undefined;
}

/** What a pod's own calls are refused for. */
function callerRefusal(entry: ToldCall["entry"]): Reason | undefined {
  if (STRANGER.test(entry.response_code_details ?? ""))
    return {
      because: "not-own-workload",
      problem: "no valid credentials for the pod's HTTP proxy",
    };
  return entry.upstream_cluster === NOWHERE ? { because: "unknown-destination" } : undefined;
}

/** Of a call that was let through. */
export function allowedReason(call: ToldCall, view: WorkloadView): Reason {
  const { allow } = view.inbound.authorization;
  const enforced = allow.filter(({ dryRun }) => dryRun === undefined);
  if (enforced.length === 0) return { because: "no-allow-policy" };
  const matched = allowedBy(judgedAgain(call, view).decision.reason, enforced);
  return matched === undefined
    ? { because: "told-by-envoy", details: "an ALLOW rule matched, and Envoy does not tell which" }
    : { because: "matched-allow", matched };
}

/** Either nothing that Envoy does not tell counts, or it is all that a rule still wants. */
function allowedBy(reason: Reason, allow: readonly AppliedPolicy[]): RuleRef | undefined {
  if (reason.because === "matched-allow")
    return isTold(ruleOf(allow, reason.matched)) ? reason.matched : undefined;
  if (reason.because !== "no-allow-matched") return undefined;
  const [first, ...others] = reason.nearest.filter(({ unmet }) => unmet.every(isUntold));
  return others.length === 0 ? first?.rule : undefined;
}

function deniedBy(id: string, call: ToldCall, view: WorkloadView): Reason {
  const { authorization, ports } = view.inbound;
  if (id === "none") {
    const admission = ports.find((port) => port.containerPort === portOf(call, view))?.admission;
    const isKeptOut =
      admission !== undefined &&
      !admission.anyone &&
      (call.caller === null || !admission.identities.includes(call.caller));
    return isKeptOut
      ? { because: NETWORK_POLICY, direction: "ingress", policies: admission.policies }
      : noAllowMatched(call, view);
  }
  const denied = namedRule(authorization.deny, id);
  if (denied !== undefined) return { because: "matched-deny", matched: denied };
  const matched = namedRule(authorization.custom, id);
  const provider = matched && policyAt(authorization.custom, matched.policy)?.provider;
  return matched === undefined || provider === undefined
    ? { because: "told-by-envoy", details: `policy ${id} matched` }
    : { because: "no-authorizer", problem: "nobody can be asked", provider, matched };
}

/** First what lacks nothing but what is not told; otherwise the nearest, as if that were there. */
function noAllowMatched(call: ToldCall, view: WorkloadView): Reason {
  const { allow } = view.inbound.authorization;
  const considered = allow.filter(({ dryRun }) => dryRun === undefined).map(({ ref }) => ref);
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
  const [asked, ...others] = judgedAgain(call, view).delegations;
  const only = asked ?? onlyDelegation(view.inbound.authorization.custom);
  if (only === undefined || others.length > 0) return { because: "told-by-envoy", details };
  return details === "ext_authz_denied"
    ? { because: "authorizer-denied", ...only }
    : { because: "authorizer-failed", ...only, problem: "Envoy does not tell" };
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

function isTold(rule: AppliedPolicy["rules"][number] | undefined): boolean {
  return rule !== undefined && !asksUntold(rule);
}

function ruleOf(
  policies: readonly AppliedPolicy[],
  { policy, rule }: RuleRef,
): AppliedPolicy["rules"][number] | undefined {
  return policyAt(policies, policy)?.rules[rule];
}
