/**
 * Decisions as JSON. Requests that a rule decides share the reason that was made when the rules were compiled: its text is
 * made once. A reason of one request alone is told and forgotten.
 */
import type { Decision, Judged, Reason } from "../policy/decision.ts";
import { printableJson } from "../runtime/printable.ts";
import { clippedDecision } from "./access-entry.ts";

interface KnownText extends Pick<Judged, "verdict"> {
  readonly text: string;
}

export class DecisionTexts {
  readonly #known = new WeakMap<Reason, KnownText>();

  of(decision: Decision | undefined): string {
    if (decision === undefined) return "null";
    const { dryRun, audited, asked, shadowLimits, uncounted } = decision;
    if ((dryRun ?? audited ?? asked ?? shadowLimits ?? uncounted) === undefined)
      return `{${this.#judged(decision)}}`;
    const trial = dryRun === undefined ? "" : `,"dryRun":{${this.#judged(dryRun)}}`;
    const noted = audited === undefined ? "" : `,"audited":${jsonOf(audited)}`;
    const answers = asked === undefined ? "" : `,"asked":${jsonOf(asked)}`;
    const limits = shadowLimits === undefined ? "" : `,"shadowLimits":${jsonOf(shadowLimits)}`;
    const without = uncounted === undefined ? "" : `,"uncounted":${jsonOf(uncounted)}`;
    return `{${this.#judged(decision)}${trial}${noted}${answers}${limits}${without}}`;
  }

  /** Its two fields. */
  #judged(judged: Judged): string {
    const { verdict, reason } = judged;
    const known = this.#known.get(reason);
    if (known?.verdict === verdict) return known.text;
    const text = `"verdict":"${verdict}","reason":${jsonOf(clippedDecision(judged).reason)}`;
    if (isShared(reason)) this.#known.set(reason, { verdict, text });
    return text;
  }
}

function isShared({ because }: Reason): boolean {
  switch (because) {
    case "matched-allow":
    case "matched-deny":
    case "no-allow-policy":
    case "unknown-destination":
      return true;
    default:
      return false;
  }
}

function jsonOf(value: unknown): string {
  return printableJson(JSON.stringify(value));
}
