/**
 * What rate limits have counted. Limits keep their figures themselves, as plain numbers: the library hears of them when
 * somebody reads.
 */
import { Counter, type Registry } from "prom-client";

/** Of one limit, since this sidecar has known it. */
export interface LimitTally {
  /** `shop/checkout/per-caller` */
  readonly limit: string;
  passed: number;
  refused: number;
  /** On trial: there was no room. */
  wouldRefuse: number;
  /** Let through or refused without being counted: whoever counts for the mesh could not be asked. */
  unavailable: number;
  /** Let through without being counted: whoever counts for the mesh knows no such limit. */
  unknown: number;
  /** Keys that were no longer told apart from all others while they still counted, as there were too many. */
  readonly forgotten: number;
}

const OUTCOMES = [
  ["passed", "passed"],
  ["refused", "refused"],
  ["would-refuse", "wouldRefuse"],
  ["unavailable", "unavailable"],
  ["unknown", "unknown"],
] as const satisfies readonly (readonly [string, keyof LimitTally])[];

/** @returns what the tallies are to be given to; limits that are no more are told no more */
export function createRateLimitMetrics(
  registers: Registry[],
): (tallies: () => Iterable<LimitTally>) => void {
  let read: () => Iterable<LimitTally> = () => [];
  new Counter({
    name: "hauberk_rate_limit_total",
    help: "Requests and connections that rate limits counted, by limit and outcome.",
    labelNames: ["limit", "outcome"] as const,
    registers,
    collect() {
      this.reset();
      for (const tally of read()) {
        for (const [outcome, field] of OUTCOMES)
          this.inc({ limit: tally.limit, outcome }, Math.max(0, tally[field]));
      }
    },
  });
  new Counter({
    name: "hauberk_rate_limit_keys_forgotten_total",
    help: "Keys of rate limits that were no longer told apart while they still counted, as there were too many.",
    labelNames: ["limit"] as const,
    registers,
    collect() {
      this.reset();
      for (const { limit, forgotten } of read()) this.inc({ limit }, forgotten);
    },
  });
  return (tallies) => {
    read = tallies;
  };
}
