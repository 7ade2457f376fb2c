/** One policy against one connection: whether it matches. */
import { UNSAYABLE_PATTERNS } from "../envoy-rbac/string-pattern.ts";
import { judgeConnection } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { connectionOf, type L4Connection, NO_IDENTITY } from "./l4-connection.ts";
import { type L4Policy, securityPolicy, UNSELECTED } from "./l4-policy.ts";

type MatchCase = ConformanceCase & {
  readonly policy: L4Policy;
  readonly connection: L4Connection;
  readonly expectedMatch: boolean;
};

export const connectionMatching: TableRunner = table<MatchCase>({
  fields: ["policy", "connection", "expectedMatch"],
  exclusions: [
    ...UNSAYABLE_PATTERNS,
    { ...NO_IDENTITY, applies: ({ connection }) => NO_IDENTITY.applies(connection) },
    { ...UNSELECTED, applies: ({ policy }) => UNSELECTED.applies(policy) },
  ],
  run({ policy, connection, expectedMatch }) {
    const policies = securityPolicy(policy);
    const { reason } = judgeConnection({ policies }, connectionOf(connection));
    const matches = reason.because === "matched-allow" || reason.because === "matched-deny";
    return compare({ expected: String(expectedMatch), got: String(matches) });
  },
});
