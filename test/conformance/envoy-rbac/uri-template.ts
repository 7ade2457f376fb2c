/** Path templates: which are valid, and what they match (AP-70..AP-74). */
import { templateRegex } from "../../../src/envoy/authorization/path-templates.ts";
import { quoteRegex } from "../../../src/envoy/authorization/string-matchers.ts";
import { allowing, isAccepted } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { istioTemplate } from "./istio-template.ts";
import { pathMatches } from "./path-matcher.ts";

type TemplateCase = ConformanceCase & {
  readonly template: string;
  readonly valid?: boolean;
  readonly expectedRegex?: string;
  readonly path?: string | null;
  readonly match?: boolean;
  /** What a router makes of a path that matches: no policy does. */
  readonly rewrite?: unknown;
  readonly rewritten?: unknown;
};

export const uriTemplate: TableRunner = table<TemplateCase>({
  fields: ["template", "valid", "expectedRegex", "path", "match", "rewrite", "rewritten"],
  exclusions: [
    {
      reason: "an operator fills its segment; elsewhere a * is a literal star (AP-42, AP-71)",
      applies: ({ template }) => istioTemplate(template) === undefined && !/[{}]/.test(template),
    },
    {
      reason: "operators have no names, and stand for one segment or any rest alone (AP-70, AP-71)",
      applies: ({ template, valid }) => hasOtherBraces(template) && valid !== false,
    },
    {
      reason: "slashes at the ends of a template are left out before it is checked (AP-71)",
      applies: ({ template, valid }) =>
        valid === false && /^\/\/|\/\/$|^[^/]/.test(template) && !hasOtherBraces(template),
    },
    {
      reason: "a value without operators is no template, and may be any text (AP-40, AP-55)",
      applies: ({ template, valid }) => valid === false && !/[*{}]/.test(template),
    },
    {
      reason: "rewriting a path is no matter of a policy (AP-106)",
      applies: ({ rewrite, match, valid, expectedRegex }) =>
        rewrite !== undefined && (match ?? valid ?? expectedRegex) === undefined,
    },
  ],
  run(test) {
    // A segment with any other brace is not only without a form: it is refused as it stands.
    const value = istioTemplate(test.template) ?? test.template;
    if (test.valid !== undefined) return runValidity(value, test.valid);
    if (test.expectedRegex !== undefined) return runExpression(value, test.expectedRegex);
    if (test.match === undefined) return { outcome: "skipped", reason: "nothing is expected" };
    const got = pathMatches(value, test.path ?? null);
    return compare({ expected: String(test.match), got: String(got) });
  },
});

/** Which are refused as they stand. */
function hasOtherBraces(template: string): boolean {
  return istioTemplate(template) === undefined && /[{}]/.test(template);
}

function runValidity(value: string, valid: boolean): CaseOutcome {
  const policy = allowing([{ to: [{ operation: { paths: [value] } }] }]);
  const told = (accepted: boolean): string => (accepted ? "accepted" : "refused");
  return compare({ expected: told(valid), got: told(isAccepted(policy)) });
}

/** Both match the same of some paths; and what Envoy is told by an expression is the same text. */
function runExpression(value: string, written: string): CaseOutcome {
  const expression = new RegExp(`^(?:${written.replaceAll("(?P<", "(?<")})$`);
  const paths = probesOf(value);
  const isTemplate = /\{\*{1,2}\}/.test(value);
  const told = isTemplate ? templateRegex(value, "envoy-bytes") : quoteRegex(value);
  return compare({
    expected: `${asWritten(written)} matches ${paths.filter((path) => expression.test(path)).join(" ")}`,
    got: `${asWritten(told)} matches ${paths.filter((path) => pathMatches(value, path)).join(" ")}`,
  });
}

/** Without names of groups, which no policy has; of "=" in a segment Envoy's own versions differ (AP-72). */
function asWritten(expression: string): string {
  return expression
    .replace(/\(\?P<\w+>(\[[^\]]*\][+*])\)/g, "$1")
    .replaceAll("\\-", "-")
    .replaceAll("=", "");
}

const FILLINGS = [
  "x",
  "a.b-c_~",
  "%20",
  "x:y@z!$&'()+,;",
  "x/y",
  "",
  "a*b",
  "a|b",
  "caf\u00e9",
  'a"b',
];

function probesOf(value: string): readonly string[] {
  const filled = FILLINGS.map((filling) => value.replace(/\{\*{1,2}\}/g, () => filling));
  return [
    ...new Set(
      filled.flatMap((path) => [
        path,
        `${path}/`,
        `${path}/more`,
        `/more${path}`,
        path.toUpperCase(),
      ]),
    ),
  ];
}
