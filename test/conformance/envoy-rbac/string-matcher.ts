/** Patterns against a text: of a header, and of a host where letter case does not count (AP-43, AP-52). */
import { connectionFrom, requestOn } from "../../kit/mesh-parts.ts";
import { rulesMatchRequest } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { type EnvoyStringMatcher, patternOf, UNSAYABLE_PATTERNS } from "./string-pattern.ts";

type StringCase = ConformanceCase & {
  readonly matcher: EnvoyStringMatcher;
  readonly input: string;
  readonly match?: boolean;
  readonly error?: string;
};

export const stringMatcher: TableRunner = table<StringCase>({
  fields: ["matcher", "input", "match", "error"],
  exclusions: UNSAYABLE_PATTERNS,
  run({ matcher, input, match }) {
    const values = [patternOf(matcher)];
    const plaintext = connectionFrom("plaintext");
    const got = matcher.ignoreCase
      ? rulesMatchRequest(
          [{ to: [{ operation: { hosts: values } }] }],
          requestOn(plaintext, { authority: input }),
        )
      : rulesMatchRequest(
          [{ when: [{ key: "request.headers[x-text]", values }] }],
          requestOn(plaintext, { headers: { "x-text": input } }),
        );
    return compare({ expected: String(match), got: String(got) });
  },
});
