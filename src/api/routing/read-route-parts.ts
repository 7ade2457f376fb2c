/** What a route of a VirtualService does to requests and answers. The schema and the webhook have checked its form. */
import type { Fields } from "../decoder.ts";
import { durationMsIn } from "../duration-ms-in.ts";
import { patternReplacement } from "../pattern-replacement.ts";
import { isAuthority } from "../webhook/header-name.ts";
import { isGiven, numberIn, textIn, textPairsIn, textsIn } from "../webhook/written-values.ts";
import { isOfConnection, OF_CONNECTION } from "./connection-headers.ts";
import { patternIn } from "./read-http-match.ts";
import type { HeaderChanges, HeaderOperations, RetryPolicy, Rewrite } from "./route-parts.ts";

/** @returns undefined where nothing is changed */
export function headerOperations(owner: Fields): HeaderOperations | undefined {
  const headers = owner.section("headers");
  const request = headerChanges(headers.section("request"));
  const response = headerChanges(headers.section("response"));
  if (request === undefined && response === undefined) return undefined;
  return { ...(request && { request }), ...(response && { response }) };
}

/** The authority that `headers.request` sets, if it does: what is set counts before what is added. */
export function authorityIn(owner: Fields): string | undefined {
  const request = owner.section("headers").section("request");
  const named = [...textPairsIn(request, "set"), ...textPairsIn(request, "add")];
  return named.find(([name, value]) => isAuthority(name) && value !== "")?.[1];
}

function headerChanges(fields: Fields): HeaderChanges | undefined {
  const changes = {
    set: headerValues(fields, "set"),
    add: headerValues(fields, "add"),
    remove: textsIn(fields, "remove").filter(isChangeable).map(lowerCase),
  };
  for (const [item, name] of textsIn(fields, "remove").entries())
    if (isOfConnection(name)) fields.notice({ name: "remove", item }, OF_CONNECTION);
  const count = changes.set.length + changes.add.length + changes.remove.length;
  return count === 0 ? undefined : changes;
}

function headerValues(fields: Fields, name: "set" | "add"): HeaderChanges["set"] {
  fields.accept([name]);
  for (const [header] of textPairsIn(fields, name))
    if (isOfConnection(header)) fields.section(name).notice(header, OF_CONNECTION);
  return textPairsIn(fields, name)
    .filter(([header]) => isChangeable(header))
    .map(([header, value]) => ({ name: lowerCase(header), value }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function isChangeable(header: string): boolean {
  return !header.startsWith(":") && !isAuthority(header) && !isOfConnection(header);
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

/** @param authority that `headers` sets; `rewrite` counts before it */
export function rewriteOf(route: Fields, authority: string | undefined): Rewrite | undefined {
  const rewrite = route.section("rewrite");
  const path = pathRewrite(rewrite);
  const chosen = textIn(rewrite, "authority") || authority;
  if (path === undefined && chosen === undefined) return undefined;
  return { ...(path && { path }), ...(chosen !== undefined && { authority: chosen }) };
}

function pathRewrite(rewrite: Fields): Rewrite["path"] {
  if (rewrite.has("uriRegexRewrite")) {
    const replacement = rewrite.section("uriRegexRewrite");
    const pattern = patternIn(replacement, "match");
    const substitution = textIn(replacement, "rewrite");
    const compiled = patternReplacement(pattern, substitution);
    if (typeof compiled === "string")
      replacement.report("rewrite", `cannot be carried out: it ${compiled}`);
    return { do: "replace-pattern", pattern, substitution };
  }
  const prefix = textIn(rewrite, "uri");
  return prefix === "" ? undefined : { do: "replace-prefix", prefix };
}

/** As istiod writes it where nobody says anything (`pilot/pkg/networking/core/route/retry`). */
export const DEFAULT_RETRIES: RetryPolicy = {
  attempts: 2,
  conditions: [
    "connect-failure",
    "refused-stream",
    "unavailable",
    "cancelled",
    "retriable-status-codes",
  ],
  statuses: [],
  previousEndpoints: "avoided",
};
const ON_STATUS = "retriable-status-codes";

/** @returns undefined where nothing is said; "off" where there are to be none */
export function retryPolicy(owner: Fields, field = "retries"): RetryPolicy | "off" | undefined {
  if (!owner.has(field)) return undefined;
  const retries = owner.section(field);
  const attempts = numberIn(retries, "attempts");
  if (attempts <= 0) return "off";
  const perTryTimeoutMs = durationMsIn(retries, "perTryTimeout");
  const backoffMs = durationMsIn(retries, "backoff");
  const ignored = retries.flag("retryIgnorePreviousHosts", "on");
  retries.unused(["retryRemoteLocalities"]);
  return {
    ...DEFAULT_RETRIES,
    attempts,
    ...(isGiven(retries, "retryOn") && retryConditions(textIn(retries, "retryOn"))),
    ...(perTryTimeoutMs && { perTryTimeoutMs }),
    ...(backoffMs && { backoffMs }),
    previousEndpoints: ignored ? "avoided" : "taken again",
  };
}

/** Numbers are statuses, and need no further word. */
function retryConditions(text: string): Pick<RetryPolicy, "conditions" | "statuses"> {
  const parts = text.split(",").map((part) => part.trim());
  const statuses = parts.filter(isNumber).map(Number);
  const words = parts.filter((part) => part !== "" && !isNumber(part));
  const isComplete = statuses.length === 0 || words.includes(ON_STATUS);
  return { statuses, conditions: isComplete ? words : [...words, ON_STATUS] };
}

function isNumber(text: string): boolean {
  return /^\+?\d+$/.test(text);
}

/** Of a `percentage`, in millionths; undefined where there is none. */
export function percentageIn(owner: Fields): number | undefined {
  return owner.has("percentage")
    ? millionths(numberIn(owner.section("percentage"), "value"))
    : undefined;
}

export function millionths(percent: number): number {
  return Math.min(Math.max(Math.trunc(percent * 10_000), 0), 1_000_000);
}
