/**
 * Changed requests of HTTP/1 through a real sidecar and, where it is there, through real Envoy, each followed by a marker.
 * Through the sidecar nothing may be hidden or changed in its boundaries, by the judge of the smuggling corpus; and what both
 * let through must arrive as the same requests. What only one of them refuses is counted.
 */
import { Dice } from "../kit/dice.ts";
import { findEnvoy } from "../kit/envoy-program.ts";
import { type AttackExchange, attackLane, type Lane } from "../kit/smuggling/attack-exchange.ts";
import { openEnvoyLane } from "../kit/smuggling/envoy-lane.ts";
import { judgeAttack } from "../kit/smuggling/judge-attack.ts";
import { openSidecarLane } from "../kit/smuggling/sidecar-lanes.ts";
import type { SmugglingCase } from "../kit/smuggling/smuggling-case.ts";
import type { Fuzzer } from "./fuzz/fuzzer.ts";
import { REQUESTS } from "./fuzz/http1-corpus.ts";
import { mutantOf } from "./fuzz/http1-mutants.ts";

const MAX_PRINTED = 10;

const counts = { attacks: 0, arrived: 0, alike: 0, onlyOurs: 0, onlyTheirs: 0, faults: 0 };
const differences = new Map<string, number>();

export const envoyFuzzer: Fuzzer = {
  name: "envoy",
  async run({ end, seed }) {
    const dice = new Dice(seed);
    const program = findEnvoy();
    const sidecar = await openSidecarLane("inbound, plaintext");
    const envoy = program && (await openEnvoyLane(program));
    try {
      while (Date.now() < end) await attackBoth(caseOf(dice), sidecar, envoy);
    } finally {
      await sidecar.close();
      await envoy?.close();
    }
    printCounts(envoy);
    return counts.faults === 0 && counts.arrived > 0 ? "well" : "at fault";
  },
};

function caseOf(dice: Dice): SmugglingCase {
  const text = mutantOf(REQUESTS, dice);
  const cut = dice.chance(0.3) ? dice.between(0, text.length) : text.length;
  const pieces = [text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== "");
  return { name: "mutant", class: "fuzz", source: "", pieces };
}

async function attackBoth(
  attack: SmugglingCase,
  sidecar: Lane,
  envoy: Lane | undefined,
): Promise<void> {
  counts.attacks += 1;
  const ours = await attackLane(sidecar, attack);
  for (const fault of judgeAttack(ours, sidecar).faults) tellFault(attack, fault);
  const own = arrivedThrough(ours);
  counts.arrived += own.length;
  if (envoy === undefined) return;
  const other = arrivedThrough(await attackLane(envoy, attack));
  for (const [index, request] of own.entries()) {
    const beside = other[index];
    if (beside === undefined) {
      counts.onlyOurs += 1;
      return;
    }
    const part = request.findIndex((text, at) => text !== beside[at]);
    if (part < 0) counts.alike += 1;
    else
      count(
        `${PARTS[part]} ${JSON.stringify(request[part])}, through Envoy ${JSON.stringify(beside[part])}`,
      );
  }
  if (other.length > own.length) counts.onlyTheirs += 1;
}

const PARTS = ["method", "path", "body"];

/** Method, path and body of each request that arrived whole. */
function arrivedThrough({ arrivals }: AttackExchange): readonly (readonly string[])[] {
  return arrivals.flatMap((arrival) => {
    if (arrival.kind !== "whole") return [];
    const { method, target, body } = arrival.request;
    return [[method, target.replace(/^https?:\/\/[^/?#]*/i, "") || "/", body]];
  });
}

function count(difference: string): void {
  differences.set(difference, (differences.get(difference) ?? 0) + 1);
}

function tellFault({ pieces }: SmugglingCase, fault: string): void {
  counts.faults += 1;
  if (counts.faults > MAX_PRINTED) return;
  console.log(fault);
  console.log(`  ${JSON.stringify(pieces)}`);
}

function printCounts(envoy: Lane | undefined): void {
  const { attacks, arrived, alike, onlyOurs, onlyTheirs, faults } = counts;
  console.log(`${attacks} connections through a sidecar: ${arrived} requests arrived`);
  if (envoy === undefined) console.log("no Envoy is there to compare with: HAUBERK_ENVOY names it");
  else {
    console.log(
      `${alike} arrived alike through ${envoy.name}; it alone let more through in ${onlyTheirs}, we in ${onlyOurs}`,
    );
    for (const [difference, times] of [...differences].slice(0, MAX_PRINTED)) {
      console.log(`${String(times).padStart(8)}  ${difference}`);
    }
  }
  console.log(`${faults} hidden, or changed in their boundaries, by us`);
}
