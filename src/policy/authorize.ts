/** Judges requests and connections by the policies of one workload: DENY first, then ALLOW (AP-1). Pure. */
import type { ResourceRef } from "../api/resource.ts";
import {
  type CompiledRule,
  compileRule,
  failingConditions,
  matchesRule,
  type TrafficProtocol,
} from "./authorization-rule.ts";
import type { Decision, NearestMiss } from "./decision.ts";
import { ruleId } from "./rule-id.ts";
import type { Connection, HttpRequest } from "./traffic.ts";
import type { Traffic } from "./traffic-attribute.ts";
import type { AppliedPolicy, EffectiveAuthorization, Trust } from "./workload-view.ts";

/** Compiled once for each change of policy; asked for every request. */
export interface CompiledAuthorization {
  readonly protocol: TrafficProtocol;
  /** In evaluation order (AP-35). */
  readonly deny: readonly DecidingRule[];
  /** In evaluation order (AP-35). */
  readonly allow: readonly DecidingRule[];
  /** Every ALLOW policy that applies, with rules or without (AP-20). */
  readonly considered: readonly ResourceRef[];
}

/** A rule and the decision it gives: made once, so that judging allocates nothing. */
interface DecidingRule {
  readonly rule: CompiledRule;
  readonly decision: Decision;
}

const NO_ALLOW_POLICY: Decision = { verdict: "allow", reason: { because: "no-allow-policy" } };
const MAX_NEAREST = 3;

/** @param options.protocol how the port's bytes are read: on "tcp" nothing that is HTTP can be asked (AP-60..AP-62) */
export function compileAuthorization(
  authorization: EffectiveAuthorization,
  options: { readonly protocol: TrafficProtocol; readonly trust: Trust },
): CompiledAuthorization {
  const deny = compileRules(authorization.deny, { ...options, action: "DENY" });
  const allow = compileRules(authorization.allow, { ...options, action: "ALLOW" });
  return {
    protocol: options.protocol,
    deny: deny.map((rule) => ({
      rule,
      decision: { verdict: "deny", reason: { because: "matched-deny", matched: rule.ref } },
    })),
    allow: allow.map((rule) => ({
      rule,
      decision: { verdict: "allow", reason: { because: "matched-allow", matched: rule.ref } },
    })),
    considered: authorization.allow.map(({ ref }) => ref),
  };
}

/** Judges one request on a port that carries HTTP. */
export function authorizeRequest(compiled: CompiledAuthorization, request: HttpRequest): Decision {
  return decide(compiled, request);
}

/**
 * Judges one connection on a port that is carried as TCP.
 *
 * @throws RangeError when compiled for HTTP: its DENY rules would ask for what a connection never carries
 */
export function authorizeConnection(
  compiled: CompiledAuthorization,
  connection: Connection,
): Decision {
  if (compiled.protocol !== "tcp") {
    throw new RangeError("a connection needs an authorization compiled for tcp");
  }
  return decide(compiled, { connection, remoteAddress: connection.sourceAddress });
}

function decide({ deny, allow, considered }: CompiledAuthorization, traffic: Traffic): Decision {
  for (const { rule, decision } of deny) if (matchesRule(rule, traffic)) return decision;
  if (considered.length === 0) return NO_ALLOW_POLICY;
  for (const { rule, decision } of allow) if (matchesRule(rule, traffic)) return decision;
  const nearest = nearestMisses(allow, traffic);
  return { verdict: "deny", reason: { because: "no-allow-matched", considered, nearest } };
}

function nearestMisses(allow: readonly DecidingRule[], traffic: Traffic): readonly NearestMiss[] {
  return allow
    .map(({ rule }) => ({ rule: rule.ref, failing: failingConditions(rule, traffic) }))
    .sort((a, b) => a.failing.length - b.failing.length)
    .slice(0, MAX_NEAREST)
    .map(({ rule, failing }) => ({
      rule,
      unmet: failing.map((condition) => ({
        field: condition.field,
        expected: condition.expected,
        got: condition.got(traffic),
      })),
    }));
}

function compileRules(
  policies: readonly AppliedPolicy[],
  context: {
    readonly protocol: TrafficProtocol;
    readonly trust: Trust;
    readonly action: "ALLOW" | "DENY";
  },
): readonly CompiledRule[] {
  return policies
    .flatMap((policy) =>
      policy.rules.map((rule, index) => {
        const source = { file: policy.source.file, line: rule.line };
        const ref = { policy: policy.ref, rule: index, source };
        return compileRule(rule, { ...context, namespace: policy.ref.namespace, ref });
      }),
    )
    .sort(({ ref: a }, { ref: b }) => (ruleId(a) < ruleId(b) ? -1 : 1));
}
