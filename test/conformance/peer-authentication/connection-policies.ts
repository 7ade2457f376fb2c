/** All policies of a workload against one connection (AP-1, AP-110, AP-142). */
import type { Decision, Judged } from "../../../src/policy/decision.ts";
import { judgeConnection } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { connectionOf, type L4Connection, NO_IDENTITY } from "./l4-connection.ts";
import { type L4Policy, securityPolicy, UNSELECTED } from "./l4-policy.ts";

type PoliciesCase = ConformanceCase & {
  readonly policies?: readonly L4Policy[];
  readonly destination?: { readonly namespace: string; readonly ip: string; readonly port: number };
  readonly connection?: L4Connection;
  readonly expected?: {
    readonly allowed: boolean;
    readonly reason?: string;
    /** `NAMESPACE/NAME` */
    readonly by?: string;
    /** Of policies on trial that matched; the first is told here, as part of one verdict (AP-111). */
    readonly logs?: readonly { readonly policy: string }[];
  };
  /** What becomes of an index of policies. */
  readonly steps?: unknown;
};

const REASONS: ReadonlyMap<string, string> = new Map([
  ["matched-deny", "explicitly denied"],
  ["no-allow-matched", "allow policies exist, but none allowed"],
]);

export const connectionPolicies: TableRunner = table<PoliciesCase>({
  fields: ["policies", "destination", "connection", "expected", "steps"],
  exclusions: [
    {
      reason:
        "a view is made anew when policies change: there is no index whose entries could be left over (AP-141)",
      applies: ({ steps }) => steps !== undefined,
    },
    { ...UNSELECTED, applies: ({ policies = [] }) => policies.some(UNSELECTED.applies) },
    {
      ...NO_IDENTITY,
      applies: ({ connection }) => connection !== undefined && NO_IDENTITY.applies(connection),
    },
  ],
  run({ policies = [], destination, connection, expected }) {
    if (connection === undefined || destination === undefined || expected === undefined) {
      return { outcome: "skipped", reason: "nothing is asked" };
    }
    const { namespace, ip, port } = destination;
    const mesh = {
      policies: policies.flatMap(securityPolicy),
      subject: { namespace, labels: {} },
    };
    const decision = judgeConnection(mesh, connectionOf({ ...connection, dst: `${ip}:${port}` }));
    return compare({ expected: expectation(expected), got: answer(decision, expected) });
  },
});

type Expected = PoliciesCase["expected"] & object;

function expectation({ allowed, reason, by, logs }: Expected): string {
  return [allowed ? "allowed" : "refused", reason, by, logs?.[0]?.policy]
    .filter(isGiven)
    .join("; ");
}

/** Only what is expected is told. */
function answer(decision: Decision, { reason, by, logs }: Expected): string {
  const told = [
    decision.verdict === "allow" ? "allowed" : "refused",
    reason && (REASONS.get(decision.reason.because) ?? decision.reason.because),
    by && policyOf(decision),
    logs?.[0] && policyOf(decision.dryRun ?? decision),
  ];
  return told.filter(isGiven).join("; ");
}

function policyOf({ reason }: Judged): string {
  if (!("matched" in reason)) return "no policy";
  const { namespace, name } = reason.matched.policy;
  return `${namespace}/${name}`;
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined;
}
