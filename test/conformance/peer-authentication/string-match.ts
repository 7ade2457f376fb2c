/** ztunnel's patterns, by a condition on a text that both layers know: the server name (AP-40, AP-94). */
import { connectionFrom } from "../../kit/mesh-parts.ts";
import { UNSAYABLE_PATTERNS } from "../envoy-rbac/string-pattern.ts";
import { rulesMatchConnection } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { type L4String, stringValue } from "./connection-rules.ts";

type StringCase = ConformanceCase & {
  readonly matcher: L4String;
  readonly input: string;
  readonly expected: boolean;
};

export const stringMatch: TableRunner = table<StringCase>({
  fields: ["matcher", "input", "expected"],
  exclusions: UNSAYABLE_PATTERNS,
  run({ matcher, input, expected }) {
    const rules = [{ when: [{ key: "connection.sni", values: [stringValue(matcher)] }] }];
    const connection = connectionFrom("plaintext", { serverName: input });
    return compare({
      expected: String(expected),
      got: String(rulesMatchConnection(rules, connection)),
    });
  },
});
