/**
 * Nothing is smuggled: the corpus of `test/kit/smuggling` through real sidecars, each attack followed by a marker on the
 * same connection. Beside them, for comparison, node:http and real Envoy: those are printed, and need not be clean.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { attackList, attackTable, type JudgedAttack } from "../kit/smuggling/attack-report.ts";
import { CORPUS } from "../kit/smuggling/corpus/corpus.ts";
import { openEnvoyLane } from "../kit/smuggling/envoy-lane.ts";
import { openCarelessLane, openNodeHttpLane } from "../kit/smuggling/other-lanes.ts";
import { runCorpus } from "../kit/smuggling/run-corpus.ts";
import { openSidecarLane, SIDECAR_LANES } from "../kit/smuggling/sidecar-lanes.ts";

/** Where every decision is listed beside the recorded bytes. */
const RECORD = ".cache/smuggling";
/** Of attacks, not counting those borne by HTTP/2. */
const AT_LEAST = 300;

const run = new Map<string, readonly JudgedAttack[]>();
const nameOf = ({ exchange: { attack } }: JudgedAttack): string =>
  `${attack.class}: ${attack.name}`;

after(async () => {
  console.log(attackTable(run));
  await mkdir(RECORD, { recursive: true });
  for (const [name, judged] of run) {
    const file = `${RECORD}/${name.replaceAll(/[^A-Za-z]+/g, "-")}.txt`;
    await writeFile(file, `${attackList(name, judged)}\n`);
  }
});

test("the corpus is large enough, and each attack has a name of its own and a source", () => {
  assert.ok(CORPUS.length >= AT_LEAST, `${CORPUS.length} attacks`);
  assert.equal(new Set(CORPUS.map((one) => `${one.class}: ${one.name}`)).size, CORPUS.length);
  assert.deepEqual(
    CORPUS.filter(({ source }) => source === ""),
    [],
  );
});

for (const name of SIDECAR_LANES) {
  test(`QK-16: nothing is smuggled, ${name}`, { timeout: 100_000 }, async () => {
    const judged = await runCorpus(await openSidecarLane(name), CORPUS);
    run.set(name, judged);
    const faulty = judged.filter(({ judgement }) => judgement.faults.length > 0);
    assert.deepEqual(
      faulty.map((one) => [nameOf(one), ...one.judgement.faults]),
      [],
    );
    const alike = judged.filter(({ judgement }) => judgement.outcome === "alike");
    assert.ok(alike.length > CORPUS.length / 5, "a proxy that refuses all is safe, too");
  });
}

test("what only looks at a connection's first head is found at fault", async () => {
  const corpus = CORPUS.filter((_, index) => index % 4 === 0);
  const judged = await runCorpus(await openCarelessLane(), corpus);
  const count = judged.filter(({ judgement }) => judgement.outcome === "hidden").length;
  assert.ok(count > corpus.length / 4, `${count} of ${corpus.length}`);
});

test("beside: node:http, a reverse proxy of a few lines", async () => {
  run.set("node:http", await runCorpus(await openNodeHttpLane(), CORPUS));
});

const skip = missingParts("envoy");
test("beside: Envoy", { skip, timeout: 300_000 }, async () => {
  const lane = await openEnvoyLane(findOrFetchEnvoy());
  run.set(lane.name, await runCorpus(lane, CORPUS));
});
