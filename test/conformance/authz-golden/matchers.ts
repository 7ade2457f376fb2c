/** Istio's string patterns as Envoy's matchers (AP-40..AP-44, AP-52..AP-55). */
import {
  headerMatcher,
  hostMatcher,
} from "../../../src/envoy/authorization/linear/header-matchers.ts";
import { uriTemplate } from "../../../src/envoy/authorization/path-templates.ts";
import {
  regex,
  type StringMatcher,
  stringMatcher,
  stringMatcherBehind,
} from "../../../src/envoy/authorization/string-matchers.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { normalJson } from "./rbac-json.ts";

type MatcherCase = ConformanceCase & {
  readonly header?: string;
  readonly prefix?: string;
  readonly value?: string;
  readonly str?: string;
  readonly path?: string;
  readonly ignoreCase?: boolean;
  readonly expected: unknown;
};

/** By upstream's test: only hosts are compared without regard to letter case. */
const MATCHERS: Readonly<Record<string, (test: MatcherCase) => unknown>> = {
  TestHeaderMatcher: ({ header = "", value = "" }) => headerMatcher(header, value),
  TestHostMatcher: ({ value = "" }) => hostMatcher(value),
  TestPathMatcher: ({ value = "" }) => ({ path: stringMatcher(value) }),
  TestStringMatcherWithPrefix: ({ prefix = "", value = "" }) => stringMatcherBehind(prefix, value),
  TestStringMatcherRegex: ({ value = "" }) => regex(value),
  TestStringMatcherPrefix: (test) => textMatcher(`${test.str}*`, test),
  TestStringMatcherSuffix: (test) => textMatcher(`*${test.str}`, test),
  TestStringMatcherExact: (test) => textMatcher(`${test.str}`, test),
  TestPathTemplateMatcher: ({ path = "" }) => ({ pathTemplate: uriTemplate(path) }),
};

function textMatcher(
  value: string,
  { ignoreCase = false }: MatcherCase,
): StringMatcher | undefined {
  return ignoreCase ? hostMatcher(value).stringMatch : stringMatcher(value);
}

export const matchers: TableRunner = table<MatcherCase>({
  fields: ["header", "prefix", "value", "str", "path", "ignoreCase", "expected"],
  run(test) {
    const make = MATCHERS[test.name.split("/")[0] ?? ""];
    if (make === undefined) return { outcome: "skipped", reason: "no matcher of ours" };
    return compare({
      expected: JSON.stringify(normalJson(test.expected)),
      got: JSON.stringify(normalJson(make(test))),
    });
  },
});
