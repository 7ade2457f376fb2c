/**
 * Five million questions to the engine and to the naive interpreter, which must agree on every one. COUNT and SEED can be
 * given; without a seed it is 1. Every disagreement is printed as YAML, made as small as it can be.
 *
 *     npm run test:policy -- 5000000 1
 */
import { isDeepStrictEqual } from "node:util";
import { askEngine, askInterpreter, compare, type Dispute } from "../naive/comparison.ts";
import { Coverage } from "../naive/coverage.ts";
import { printDispute } from "../naive/print-dispute.ts";
import { shrink } from "../naive/shrink.ts";

const PROGRESS = 250_000;
/** The rest of them is only counted. */
const MAX_PRINTED = 25;
const MAX_SHRUNK = 200;

const pairs = Number(process.argv[2] ?? 5_000_000);
const seed = Number(process.argv[3] ?? 1);
if (!(pairs > 0) || !Number.isInteger(seed)) {
  throw new Error("expected: npm run test:policy -- [COUNT] [SEED]");
}

const coverage = new Coverage();
const printed = new Set<string>();
const startedMs = Date.now();
let disputes = 0;
let nextProgress = PROGRESS;

const compared = compare({ pairs, seed, coverage, onDispute, onProgress });
console.log(["", ...coverage.lines(), ""].join("\n"));
const seconds = Math.round((Date.now() - startedMs) / 1000);
console.log(
  `${compared} pairs of seed ${seed} in ${seconds} s: ${disputes} disagreements, 0 excused`,
);
process.exitCode = disputes === 0 ? 0 : 1;

/** Disagreements about one policy are printed once. */
function onDispute(dispute: Dispute): void {
  disputes += 1;
  if (printed.size >= MAX_PRINTED || disputes > MAX_SHRUNK) return;
  const smallest = shrink(dispute, differ);
  const about = JSON.stringify(smallest.policies);
  if (!printed.has(about)) console.log(`\n# disagreement ${disputes}\n${printDispute(smallest)}`);
  printed.add(about);
}

function onProgress(done: number): void {
  if (done < nextProgress) return;
  nextProgress += PROGRESS;
  console.log(`${done} of ${pairs}: ${disputes} disagreements`);
}

function differ(dispute: Dispute): boolean {
  return !isDeepStrictEqual(askEngine(dispute), askInterpreter(dispute));
}
