/**
 * Decisions as JSON, as the last field of a line. Requests that a rule decides share the reason that was made when the
 * rules were compiled: its text is made once. A reason of one request alone is told and forgotten.
 */
import type { Decision, Judged, Reason } from "../policy/decision.ts";
import { printableJson } from "../runtime/printable.ts";
import { clippedDecision } from "./access-entry.ts";

interface KnownText extends Pick<Judged, "verdict"> {
  readonly text: string;
  /** Of a decision that says nothing else. */
  readonly piece: Uint8Array;
}

export class DecisionTexts {
  readonly #known = new WeakMap<Reason, KnownText>();

  /** @returns the field, from its comma to the end of the line */
  of(decision: Decision | undefined): Uint8Array {
    if (decision === undefined) return UNDECIDED;
    const { dryRun, audited, asked, shadowLimits, uncounted } = decision;
    if ((dryRun ?? audited ?? asked ?? shadowLimits ?? uncounted) === undefined)
      return this.#plain(decision);
    const trial = dryRun === undefined ? "" : `,"dryRun":{${this.#judged(dryRun)}}`;
    const noted = audited === undefined ? "" : `,"audited":${jsonOf(audited)}`;
    const answers = asked === undefined ? "" : `,"asked":${jsonOf(asked)}`;
    const limits = shadowLimits === undefined ? "" : `,"shadowLimits":${jsonOf(shadowLimits)}`;
    const without = uncounted === undefined ? "" : `,"uncounted":${jsonOf(uncounted)}`;
    return pieceOf(`${this.#judged(decision)}${trial}${noted}${answers}${limits}${without}`);
  }

  #plain(decision: Decision): Uint8Array {
    const known = this.#known.get(decision.reason);
    if (known?.verdict === decision.verdict) return known.piece;
    return pieceOf(this.#judged(decision));
  }

  /** Its two fields. */
  #judged(judged: Judged): string {
    const { verdict, reason } = judged;
    const known = this.#known.get(reason);
    if (known?.verdict === verdict) return known.text;
    const text = `"verdict":"${verdict}","reason":${jsonOf(clippedDecision(judged).reason)}`;
    if (isShared(reason)) this.#known.set(reason, { verdict, text, piece: pieceOf(text) });
    return text;
  }
}

const UNDECIDED = Buffer.from(',"decision":null}');

function pieceOf(fields: string): Uint8Array {
  return Buffer.from(`,"decision":{${fields}}}`);
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
