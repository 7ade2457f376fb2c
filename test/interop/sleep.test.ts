/**
 * A laptop that sleeps: all processes of a mesh are stopped, the wall clock moves on, and they are resumed with every
 * certificate and every token expired (pain 30). Traffic must be back within 10 s, and nobody types a command.
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type FakedClock, fakedClock } from "../kit/faked-clock.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween } from "../kit/steady-load.ts";

const HOUR_MS = 3_600_000;
const HEALED_WITHIN_MS = 10_000;
/** After which it must have stayed well. */
const WATCH_MS = 15_000;
const STOPPED_MS = 1_000;
/** At 50 requests a second, timers and a busy machine allowed for. */
const LEAST_PER_SECOND = 25;
const CALLERS = ["calls-one", "calls-two"];
const CONFIG = `meshConfig:
  defaultConfig:
    proxyMetadata:
      SECRET_TTL: 30m
`;

const skip = missingParts("faketime");
let folder: string;
let clock: FakedClock;
let mesh: RunningMesh;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const files = join(folder, "mesh");
  await cp("test/meshes/pairs", files, { recursive: true });
  await writeFile(join(files, "mesh-config.yaml"), CONFIG);
  clock = await fakedClock(join(folder, "clock"));
  mesh = await runMesh([files], { data: join(folder, "data"), program: clock.program });
});
after(async () => {
  await mesh?.stop();
  if (mesh !== undefined) await runHauberk(["down", "--data", mesh.data]);
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

for (const hours of [1, 12, 72]) {
  test(`asleep for ${hours} h: traffic is back within 10 s`, { skip }, async (context) => {
    await delay(3_000);
    const ends = await certificateEnds();
    await sleepFor(hours * HOUR_MS);
    // The applications are not of the mesh's own kind, and go by the machine's clock.
    const woken = Date.now();
    await delay(WATCH_MS);
    const now = Date.now() - 500;
    for (const end of ends)
      assert.ok(end < woken + clock.aheadMs, "every certificate has expired meanwhile");
    for (const caller of CALLERS) {
      const healed = await outcomesOf(caller, woken + HEALED_WITHIN_MS, now);
      const least = (LEAST_PER_SECOND * (now - woken - HEALED_WITHIN_MS)) / 1_000;
      assert.ok(healed.length >= least, `${caller} sent only ${healed.length} requests`);
      assert.deepEqual(healed.filter(isFailure), []);
      const failed = (await outcomesOf(caller, woken, now)).filter(isFailure);
      const last = failed.at(-1);
      const lastMs = last === undefined ? 0 : last.sentAt + last.ms - woken;
      context.diagnostic(
        `${caller}: ${failed.length} failures, the last ${lastMs} ms after waking`,
      );
    }
  });
}

const STEP_MS = HOUR_MS / 6;
const STEPS = 9;

test("kill -9 of up: certificates go on by themselves, also when every token has expired", {
  skip,
}, async () => {
  process.kill(mesh.state.supervisor.processId, "SIGKILL");
  await delay(1_000);
  const from = Date.now();
  for (let step = 0; step < STEPS; step++) {
    await clock.moveAhead(STEP_MS); // less than what a certificate has left at half of its life
    await delay(3_000);
  }
  const to = Date.now() - 500;
  for (const caller of CALLERS) {
    const outcomes = await outcomesOf(caller, from, to);
    assert.ok(outcomes.length >= (LEAST_PER_SECOND * (to - from)) / 1_000);
    assert.deepEqual(outcomes.filter(isFailure), []);
  }
  for (const owner of ["one", "two", ...CALLERS]) {
    const log = await mesh.read(`logs/pairs/${owner}-0/sidecar.log`);
    assert.match(log, /"certificate renewed".*"authenticatedBy":"certificate"/, owner);
  }
  const now = Date.now() + clock.aheadMs;
  for (const end of await certificateEnds()) assert.ok(end > now, "every certificate is valid");
});

function outcomesOf(caller: string, from: number, to: number): ReturnType<typeof outcomesBetween> {
  return outcomesBetween(join(mesh.data, "logs/pairs", `${caller}-0`, "load.log"), { from, to });
}

async function certificateEnds(): Promise<readonly number[]> {
  const logs = ["one", "two", ...CALLERS].map((owner) => `logs/pairs/${owner}-0/sidecar.log`);
  const texts = await Promise.all(logs.map((path) => mesh.read(path)));
  return texts.map((text) => {
    const ends = [...text.matchAll(/"certificate (?:issued|renewed)".*"notAfter":"([^"]+)"/g)];
    return Date.parse(ends.at(-1)?.[1] ?? assert.fail("no certificate was issued"));
  });
}

/** The supervisor first, so that it mends nothing meanwhile, and all it has started; they wake the other way round. */
async function sleepFor(ms: number): Promise<void> {
  const { supervisor, processes } = await mesh.currentState();
  const all = [supervisor, ...processes].map(({ processId }) => processId);
  for (const processId of all) process.kill(processId, "SIGSTOP");
  await clock.moveAhead(ms);
  await delay(STOPPED_MS);
  for (const processId of all.reverse()) process.kill(processId, "SIGCONT");
}
