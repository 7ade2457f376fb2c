/**
 * RateLimit: how often a workload may be called, by everybody together or by each caller. Istio has no resource for it; the
 * rules that say which traffic is meant, and the names of what tells callers apart, are those of AuthorizationPolicy.
 */
import { type AuthorizationRule, authorizationRule } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { checkWorkloadSelector, workloadSelector } from "./label-selector.ts";
import { reportTwice } from "./port-fields.ts";
import {
  LIMIT_HEADERS,
  LIMIT_MODES,
  LIMIT_SCOPES,
  type LimitHeaders,
  type LimitMode,
  type LimitScope,
  UNAVAILABLE_CHOICES,
  type WhenUnavailable,
} from "./rate-limit-choices.ts";
import { checkLimitTraffic } from "./rate-limit-traffic.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { labelNameProblem } from "./resource-names.ts";
import { parseDuration } from "./webhook/duration.ts";

export interface RateLimit {
  readonly kind: "RateLimit";
  readonly meta: ResourceMeta;
  /** Empty selects every workload of the namespace; in the root namespace, of the mesh. */
  readonly selector: Labels;
  /** At least one. */
  readonly limits: readonly Limit[];
}

/** What is counted: requests; connections when they begin; connections as long as they last. */
export type Counted = "requests" | "connections" | "openConnections";

/** One limit of a resource. */
export interface Limit {
  /** Line in the file, from 1. */
  readonly line: number;
  /** A DNS label, of which the resource has no other. */
  readonly name: string;
  /** Traffic that any of them matches is counted; empty: all of it. */
  readonly match: readonly AuthorizationRule[];
  readonly counts: Counted;
  /** In `perMs`, or, of connections that last, at once; at least 1. */
  readonly amount: number;
  /** Milliseconds; 0 where `counts` is "openConnections". */
  readonly perMs: number;
  /** At once, by whoever has been quiet for a while; at least 1. */
  readonly burst: number;
  /** What is counted apart, by names such as `source.principal` and `request.headers[x-user]`; empty: nothing. */
  readonly key: readonly string[];
  /** Whether the identities of callers share what there is, so that none takes the share of another. */
  readonly fair: boolean;
  readonly scope: LimitScope;
  readonly mode: LimitMode;
  /** Of a global limit. */
  readonly whenUnavailable: WhenUnavailable;
  readonly headers: LimitHeaders;
}

const MOST_LIMITS = 64;
const MOST_COUNTED = 1_000_000_000;
const NANOSECONDS_PER_MS = 1e6;
const SHORTEST_MS = 1_000;
const LONGEST_MS = 31 * 24 * 3_600_000;

export function rateLimit(meta: ResourceMeta, root: Fields): RateLimit {
  const spec = root.section("spec");
  checkWorkloadSelector(spec);
  const limits = spec.list("limits");
  if (spec.saysNothing("limits")) spec.report("limits", "must have at least one limit");
  if (limits.length > MOST_LIMITS) spec.report("limits", `has more than ${MOST_LIMITS} limits`);
  const read = limits.map(limit);
  reportTwice(limits, { field: "name", values: read.map(({ name }) => name) });
  return { kind: "RateLimit", meta, selector: workloadSelector(spec), limits: read };
}

function limit(fields: Fields): Limit {
  const counts = counted(fields);
  const amount = fields.integer(counts, { min: 1, max: MOST_COUNTED }) ?? 1;
  const read: Limit = {
    line: fields.line,
    name: fields.requiredText("name", labelNameProblem),
    match: fields.list("match").map((rule) => authorizationRule(rule, "DENY")),
    counts,
    amount,
    perMs: counts === "openConnections" ? 0 : period(fields),
    burst: burst(fields, { counts, amount }),
    key: fields.texts("key"),
    fair: fields.flag("fair", "off"),
    scope: fields.choice("scope", LIMIT_SCOPES, "Local"),
    mode: fields.choice("mode", LIMIT_MODES, "Enforce"),
    whenUnavailable: fields.choice("whenUnavailable", UNAVAILABLE_CHOICES, "Local"),
    headers: fields.choice("headers", LIMIT_HEADERS, "WhenRefused"),
  };
  checkLimitTraffic(fields, read);
  checkCombination(fields, read);
  return read;
}

const COUNTED = ["requests", "connections", "openConnections"] as const;

function counted(fields: Fields): Counted {
  const given = COUNTED.filter((name) => fields.has(name));
  const [first = "requests", ...others] = given;
  if (given.length === 0) {
    fields.reportHere(
      "must say what is counted: one of requests, connections, openConnections is needed",
    );
  }
  for (const name of others) {
    fields.accept([name]);
    fields.report(name, `must not be given together with ${first}: write two limits`);
  }
  return first;
}

function period(fields: Fields): number {
  const text = fields.requiredText("per", periodProblem);
  return (parseDuration(text) ?? 0) / NANOSECONDS_PER_MS;
}

function periodProblem(text: string): string | undefined {
  const ms = (parseDuration(text) ?? Number.NaN) / NANOSECONDS_PER_MS;
  if (Number.isInteger(ms) && ms >= SHORTEST_MS && ms <= LONGEST_MS) return undefined;
  return 'must be a duration from "1s" to "744h", in whole milliseconds, such as "1m"';
}

/** As much as in one period, unless the user says otherwise. */
function burst(
  fields: Fields,
  { counts, amount }: { readonly counts: Counted; readonly amount: number },
): number {
  if (counts === "openConnections") return amount;
  return fields.integer("burst", { min: 1, max: MOST_COUNTED }) ?? amount;
}

/** What each field is good for alone, and is not together with another. */
function checkCombination(fields: Fields, { counts, scope, fair, key }: Limit): void {
  if (counts === "openConnections") {
    for (const name of ["per", "burst"]) {
      fields.accept([name]);
      if (fields.has(name)) fields.report(name, "must not be given: openConnections are no rate");
    }
  }
  if (counts !== "requests") {
    if (scope === "Global") fields.report("scope", "Global limits count requests only");
    if (fair) fields.report("fair", "is for limits of requests only");
    if (fields.has("headers")) fields.report("headers", "is for limits of requests only");
  }
  if (scope === "Local" && fields.has("whenUnavailable")) {
    fields.report("whenUnavailable", "is for limits with scope Global only");
  }
  if (fair && key.length > 0) {
    fields.report(
      "fair",
      "must not be given together with key, which gives to each what fair shares",
    );
  }
}
