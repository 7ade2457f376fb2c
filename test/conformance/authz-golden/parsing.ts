/** What stands in brackets after a key of `when`, and ports: as conditions that are asked (AP-56, AP-80, AP-91). */
import { connectionFrom, requestOn } from "../../kit/mesh-parts.ts";
import { allowing, isAccepted, rulesMatchRequest, type WrittenRule } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ParsingCase = ConformanceCase & {
  readonly input: string;
  readonly expected?: number | string | readonly string[];
  readonly errorPrefix?: string;
  readonly error?: boolean;
};

const SOMEBODY = connectionFrom("spiffe://cluster.local/ns/shop/sa/cart");
const VALUE = "the value";

export const parsing: TableRunner = table<ParsingCase>({
  fields: ["input", "expected", "errorPrefix", "error"],
  exclusions: [
    {
      reason: "a name in brackets is never empty: the policy is refused (AP-98, VAL-32)",
      applies: ({ expected }) => namesOf(expected).includes(""),
    },
    {
      reason:
        "no header's name has a bracket, and a key with such a name is refused (AP-80, VAL-32)",
      applies: ({ expected }) => typeof expected === "string" && /[[\]]/.test(expected),
    },
  ],
  run(test) {
    const { expected } = test;
    if (expected === undefined) return runRefusal(test);
    if (typeof expected === "number") return runPort(test.input, expected);
    return typeof expected === "string"
      ? runHeader(test.input, expected)
      : runClaim(test.input, expected);
  },
});

function namesOf(expected: ParsingCase["expected"]): readonly string[] {
  if (typeof expected === "string") return [expected];
  return Array.isArray(expected) ? expected : [];
}

/** What cannot be read in one kind of brackets cannot be read in the other. */
function runRefusal({ input, errorPrefix }: ParsingCase): CaseOutcome {
  const rules =
    errorPrefix === undefined
      ? [condition(`request.headers${input}`), condition(`request.auth.claims${input}`)]
      : [operation({ ports: [input] })];
  const accepted = rules.filter((rule) => isAccepted(allowing([rule])));
  return compare({
    expected: "refused",
    got: accepted.length === 0 ? "refused" : `accepted ${JSON.stringify(accepted)}`,
  });
}

function runPort(input: string, expected: number): CaseOutcome {
  const reached = [expected, expected - 1, expected + 1].filter((destinationPort) =>
    rulesMatchRequest([operation({ ports: [input] })], requestOn({ ...SOMEBODY, destinationPort })),
  );
  return compare({ expected: `ports ${expected}`, got: `ports ${reached.join(", ")}` });
}

function runHeader(input: string, expected: string): CaseOutcome {
  const rules = [condition(`request.headers${input}`)];
  const asked = [expected, "another"].filter((name) =>
    rulesMatchRequest(rules, requestOn(SOMEBODY, { headers: { [name.toLowerCase()]: VALUE } })),
  );
  return compare({ expected: `asks for ${expected}`, got: `asks for ${asked.join(", ")}` });
}

function runClaim(input: string, expected: readonly string[]): CaseOutcome {
  const rules = [condition(`request.auth.claims${input}`)];
  const asked = [expected, [...expected, "deeper"], ["another"]].filter((path) =>
    rulesMatchRequest(rules, requestOn(SOMEBODY, { token: payload(path) })),
  );
  return compare({
    expected: `asks for ${JSON.stringify([expected])}`,
    got: `asks for ${JSON.stringify(asked)}`,
  });
}

function payload(path: readonly string[]): Readonly<Record<string, unknown>> {
  const [first = "", ...rest] = path;
  return { [first]: rest.length === 0 ? VALUE : payload(rest) };
}

function operation(fields: Readonly<Record<string, readonly string[]>>): WrittenRule {
  return { to: [{ operation: fields }] };
}

function condition(key: string): WrittenRule {
  return { when: [{ key, values: [VALUE] }] };
}
