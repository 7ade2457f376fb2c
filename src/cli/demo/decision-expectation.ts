/** What a row expects of a decision: its reason, the resource that decided, and what would have had to be otherwise. */
import type { Decision, Origin, Reason } from "../../policy/decision.ts";

export interface DecisionExpectation {
  readonly because: Reason["because"];
  /** Name of the policy that decided, or that came nearest. */
  readonly policy?: string;
  /** The first field of the nearest rule that was not met. */
  readonly unmet?: string;
}

/** @returns one line for each difference */
export function compareDecision(
  decision: Decision | null | undefined,
  expected: DecisionExpectation,
): string[] {
  const reason = decision?.reason;
  return [
    ...differs("reason", reason?.because, expected.because),
    ...(expected.policy === undefined
      ? []
      : differs("policy", reason && policyOf(reason), expected.policy)),
    ...(expected.unmet === undefined
      ? []
      : differs("unmet field", reason && unmetFieldOf(reason), expected.unmet)),
  ];
}

export function differs(what: string, got: unknown, expected: unknown): string[] {
  return got === expected ? [] : [`${what}: expected ${inWords(expected)}, got ${inWords(got)}`];
}

function inWords(value: unknown): string {
  return value === undefined ? "none" : String(value);
}

function policyOf(reason: Reason): string | undefined {
  if ("matched" in reason) return reason.matched.policy.name;
  if ("origin" in reason) return originName(reason.origin);
  return "nearest" in reason ? reason.nearest[0]?.rule.policy.name : undefined;
}

function unmetFieldOf(reason: Reason): string | undefined {
  return "nearest" in reason ? reason.nearest[0]?.unmet[0]?.field : undefined;
}

function originName(origin: Origin): string {
  return origin === "default" ? origin : origin.ref.name;
}
