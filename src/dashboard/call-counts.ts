/** How often services called each other of late, and how safely: counted by minutes, so that what is old falls away. */
import type { CallEnds } from "./service-names.ts";

/** What of late means, in minutes. */
export const WINDOW_MINUTES = 15;
/** Callers are pods or proven identities, so that there are few; more are not told apart. */
const MAX_EDGES = 1_000;
const MINUTE_MS = 60_000;

/** Requests, and connections that carried none that were understood. */
export interface CallTotals {
  readonly mutualTls: number;
  readonly plaintext: number;
  /** Of both together. */
  readonly refused: number;
}

export interface CountedEdge extends CallTotals {
  readonly from: string;
  readonly to: string;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  /** By minutes since 1970. */
  readonly minutes: Map<number, { mutualTls: number; plaintext: number; refused: number }>;
}

export class CallCounts {
  readonly #edges: Map<string, Edge> = new Map();

  /** @param time of the call */
  count(
    ends: CallEnds,
    { time, refused, now }: { readonly time: Date; readonly refused: boolean; readonly now: Date },
  ): void {
    const minute = minuteOf(time);
    if (!(minute > minuteOf(now) - WINDOW_MINUTES)) return;
    const edge = this.#edgeOf(ends);
    if (edge === undefined) return;
    const counts = edge.minutes.get(minute) ?? { mutualTls: 0, plaintext: 0, refused: 0 };
    edge.minutes.set(minute, counts);
    counts[ends.security === "mutual-tls" ? "mutualTls" : "plaintext"]++;
    if (refused) counts.refused++;
  }

  /** By callee, then by caller. */
  edges(now: Date): readonly CountedEdge[] {
    const oldest = minuteOf(now) - WINDOW_MINUTES + 1;
    const counted: CountedEdge[] = [];
    for (const [key, { from, to, minutes }] of this.#edges) {
      const totals = { mutualTls: 0, plaintext: 0, refused: 0 };
      for (const [minute, counts] of minutes) {
        if (minute < oldest) minutes.delete(minute);
        else addTo(totals, counts);
      }
      if (minutes.size === 0) this.#edges.delete(key);
      else counted.push({ from, to, ...totals });
    }
    return counted.sort((a, b) => compare(a.to, b.to) || compare(a.from, b.from));
  }

  #edgeOf({ from, to }: CallEnds): Edge | undefined {
    const key = `${from}\n${to}`;
    const known = this.#edges.get(key);
    if (known !== undefined || this.#edges.size >= MAX_EDGES) return known;
    const edge: Edge = { from, to, minutes: new Map() };
    this.#edges.set(key, edge);
    return edge;
  }
}

function addTo(
  totals: { mutualTls: number; plaintext: number; refused: number },
  counts: CallTotals,
): void {
  totals.mutualTls += counts.mutualTls;
  totals.plaintext += counts.plaintext;
  totals.refused += counts.refused;
}

function minuteOf(time: Date): number {
  return Math.floor(time.getTime() / MINUTE_MS);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
