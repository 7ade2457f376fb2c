/**
 * Runs all fuzzers, or one by its NAME; they share the minutes. MINUTES and SEED can be given; 1 and a random one if not.
 * Exit 1 if any finds a fault.
 *
 *     npm run fuzz -- 3
 *     npm run fuzz -- 30 7 http1
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { certificateFuzzer } from "./certificate-fuzz.ts";
import { envoyFuzzer } from "./envoy-fuzz.ts";
import type { Fuzzer } from "./fuzz/fuzzer.ts";
import { http1Fuzzer } from "./http1-fuzz.ts";
import { http2Fuzzer } from "./http2-fuzz.ts";
import { http2StatesFuzzer } from "./http2-states-fuzz.ts";

const FUZZERS: readonly Fuzzer[] = [
  certificateFuzzer,
  http1Fuzzer,
  http2Fuzzer,
  http2StatesFuzzer,
  envoyFuzzer,
];
const MINUTE_MS = 60_000;

const [minutesText = "1", seedText = String(randomInt(2 ** 31)), name] = process.argv.slice(2);
const minutes = Number(minutesText);
const seed = Number(seedText);
const chosen = FUZZERS.filter((fuzzer) => name === undefined || fuzzer.name === name);
if (!(minutes > 0) || !Number.isInteger(seed) || chosen.length === 0) {
  const names = FUZZERS.map((fuzzer) => fuzzer.name).join(" or ");
  throw new Error(`expected: [MINUTES] [SEED] [NAME], where NAME is ${names}`);
}

const [only] = chosen;
if (only !== undefined && chosen.length === 1) await runHere(only);
else for (const fuzzer of chosen) process.exitCode = (await runApart(fuzzer)) || process.exitCode;

async function runHere(fuzzer: Fuzzer): Promise<void> {
  console.log(`${fuzzer.name}: seed ${seed}, ${minutes.toFixed(2)} min`);
  const result = await fuzzer.run({ end: Date.now() + minutes * MINUTE_MS, seed });
  if (result === "at fault") process.exitCode = 1;
}

/** Each in a process of its own. */
async function runApart({ name: fuzzer }: Fuzzer): Promise<number> {
  const share = String(minutes / chosen.length);
  const child = spawn(
    process.execPath,
    [...process.execArgv, import.meta.filename, share, String(seed), fuzzer],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const [code] = await once(child, "close");
  return code ?? 1;
}
