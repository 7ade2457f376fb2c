/**
 * Values of security policies, which upstream hands to the functions that check them: here each stands in a policy that its users
 * can write, in the field that the function is for. Of a URL the host and port are not judged: nothing tells them.
 */
import { isPathTemplate } from "../../../src/api/path-template.ts";
import { allowing, isAccepted, type WrittenRule } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ValueCase = ConformanceCase & {
  /** The test is named after the function that is asked. */
  readonly source: { readonly test: string };
  readonly input?: string;
  readonly values?: readonly string[];
  /** Of a condition. */
  readonly key?: string;
  readonly error?: boolean;
  /** Of a literal whether it is good; of a URL what it consists of. */
  readonly expected?: unknown;
  readonly isPathTemplate?: boolean;
};

type Check = (test: ValueCase) => CaseOutcome;

const OPERATORS: readonly unknown[] = ["{*}", "{**}"];

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ["TestParseJwksURI", ({ input, error }) => judged(error === true, keysFrom(input))],
  ["TestCheckWildcardValues", whenKey("source.trustDomain")],
  ["TestCheckTrustDomainValues", fromSource("trustDomains")],
  ["TestCheckValidPathTemplate", ({ error, values }) => judged(error === true, toPaths(values))],
  ["TestValidateCondition", (test) => whenKey(test.key)(test)],
  // Between operators, where a text can only be a literal.
  [
    "TestIsValidLiteral",
    ({ input, expected }) => judged(expected !== true, toPaths([`/{*}/${input}/end`])),
  ],
  [
    "TestContainsPathTemplate",
    (test) =>
      compare({
        expected: told(test.isPathTemplate === true),
        got: told(isPathTemplate(test.input ?? "")),
      }),
  ],
] satisfies [string, Check][]);

export const fieldValidation: TableRunner = table<ValueCase>({
  fields: ["input", "values", "key", "error", "expected", "isPathTemplate"],
  exclusions: [
    {
      reason: "an operator, or several segments: no policy has it where a literal stands (AP-71)",
      applies: ({ source, input = "" }) =>
        source.test === "TestIsValidLiteral" && (OPERATORS.includes(input) || input.includes("/")),
    },
  ],
  run(test) {
    const check = CHECKS.get(test.source.test);
    if (check !== undefined) return check(test);
    return { outcome: "skipped", reason: `not understood: a case of ${test.source.test}` };
  },
});

function told(isTemplate: boolean): string {
  return isTemplate ? "a template" : "no template";
}

function judged(refused: boolean, policy: Parameters<typeof isAccepted>[0]): CaseOutcome {
  const got = isAccepted(policy) ? "accepted" : "refused";
  return compare({ expected: refused ? "refused" : "accepted", got });
}

function fromSource(field: string): Check {
  return ({ values, error }) =>
    judged(error === true, one({ from: [{ source: { [field]: values } }] }));
}

function whenKey(key: string | undefined): Check {
  return ({ values, error }) => judged(error === true, one({ when: [{ key, values }] }));
}

function toPaths(paths: readonly string[] | undefined) {
  return one({ to: [{ operation: { paths } }] });
}

function one(rule: WrittenRule) {
  return allowing([rule]);
}

function keysFrom(jwksUri: string | undefined) {
  const spec = { jwtRules: [{ issuer: "https://issuer.example", jwksUri }] };
  return { kind: "RequestAuthentication", spec };
}
