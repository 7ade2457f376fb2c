/** Rate limits in words: what one says of a workload, and those that count a request that is asked about. */
import { formatLocation, formatRef } from "../../api/resource.ts";
import type { AppliedRateLimit } from "../applied-rate-limits.ts";
import type { PeerRules } from "../engine/peer-rules.ts";
import { NO_RULE } from "../engine/rule-index.ts";
import { ruleSentence } from "../rule-sentence.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { Trust } from "../workload-view.ts";
import { limitInWords } from "./limit-in-words.ts";
import { LimitKey, type LimitKeyPart } from "./limit-key.ts";
import { limitRules } from "./limit-rules.ts";

/** A limit that counts the traffic that was asked about. */
export interface ConcerningLimit {
  readonly limit: AppliedRateLimit;
  /** What is counted apart, of this traffic. */
  readonly key: readonly LimitKeyPart[];
  /** As those who count know it: not to be told, as it may hold what is secret. */
  readonly asker: { readonly bucket: string; readonly sharer: string };
}

/** In the order in which they are asked. @param traffic a request, or a connection alone */
export function limitsConcerning(
  limits: readonly AppliedRateLimit[],
  traffic: Traffic,
  trust: Trust,
): readonly ConcerningLimit[] {
  const isRequest = traffic.method !== undefined;
  return limits
    .filter(({ counts }) => counts !== "requests" || isRequest)
    .filter((limit) => isCounted(limitRules(limit, trust), traffic))
    .map((limit) => {
      const key = new LimitKey(limit.key);
      const sharer = limit.fair ? (traffic.connection.principal ?? "") : "";
      return { limit, key: key.parts(traffic), asker: { bucket: key.of(traffic), sharer } };
    });
}

function isCounted(rules: PeerRules | undefined, traffic: Traffic): boolean {
  return rules?.bind(traffic.connection).firstMatch(traffic) !== NO_RULE;
}

/** `limit per-caller of RateLimit shop/checkout (limits.yaml:9): 100 requests in 1s of each pod, for each source.principal apart` */
export function limitSentence(limit: AppliedRateLimit): string {
  const { key } = limit;
  const apart = key.length === 0 ? "" : `, for each ${key.join(" and ")} apart`;
  return `${opening(limit)}${apart}${termsInWords(limit)}`;
}

/** Which traffic it counts, as sentences; none where it is all of it. */
export function limitedTraffic({ match, ref: { namespace } }: AppliedRateLimit): readonly string[] {
  return match.map((rule) =>
    ruleSentence(rule, { action: "DENY", namespace }).replace(/^Denies/, "Counts"),
  );
}

/** As `limitSentence`, for the traffic that was asked about. */
export function concerningLimitInWords({ limit, key }: ConcerningLimit): string {
  const told = key.map(({ name, value = "(none)" }) => `${name} ${value}`).join(", ");
  return `${opening(limit)}${told === "" ? "" : `, here for ${told}`}${termsInWords(limit)}`;
}

function opening(limit: AppliedRateLimit): string {
  const { name, ref, source, scope } = limit;
  const of = scope === "Local" ? "of each pod" : "of the whole mesh";
  return `limit ${name} of ${formatRef(ref)} (${formatLocation(source)}): ${limitInWords(limit)} ${of}`;
}

function termsInWords({
  fair,
  mode,
  scope,
  whenUnavailable,
  burst,
  amount,
}: AppliedRateLimit): string {
  return [
    ...(burst === amount ? [] : [`, ${burst} at once`]),
    ...(fair ? [", shared fairly by the identities of callers"] : []),
    ...(scope === "Global" ? [`; ${UNAVAILABLE[whenUnavailable]}`] : []),
    ...(mode === "Shadow" ? ["; on trial: counted and logged, not enforced"] : []),
  ].join("");
}

const UNAVAILABLE: Readonly<Record<AppliedRateLimit["whenUnavailable"], string>> = {
  Local: "while nobody counts for the mesh, each pod does for itself",
  Allow: "while nobody counts for the mesh, all pass",
  Deny: "while nobody counts for the mesh, none passes",
};
