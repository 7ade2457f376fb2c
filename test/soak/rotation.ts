/**
 * Certificates of 20 seconds under load, for as many minutes as it is told (2 if not told): every request must succeed,
 * half of them on new connections, and every sidecar must have renewed as often as half-lives have passed.
 *
 *     npm run test:soak -- 2
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween } from "../kit/steady-load.ts";

const LIFETIME_SECONDS = 20;
const REQUESTS_PER_SECOND = 100;
const CALLERS = ["calls-one", "calls-two"];
const SIDECARS = ["one", "two", ...CALLERS];
const MINUTE_MS = 60_000;

const minutes = Number(process.argv[2] ?? 2);
if (!(minutes > 0)) throw new Error(`"${process.argv[2]}" is not a number of minutes`);

const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
const files = join(folder, "mesh");
const mesh = await startMesh();
try {
  await delay(3_000);
  const from = Date.now();
  for (let passed = 0; passed < minutes; passed += 0.5) {
    await delay(Math.min(0.5, minutes - passed) * MINUTE_MS);
    console.log(`${Math.min(minutes, passed + 0.5)} of ${minutes} minutes`);
  }
  process.exitCode = await judge(from, Date.now() - 1_000);
} finally {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
}

async function startMesh(): ReturnType<typeof runMesh> {
  const pairs = "test/meshes/pairs";
  const yaml = (await readFile(join(pairs, "mesh.yaml"), "utf8")).replaceAll(
    '"50"',
    `"${REQUESTS_PER_SECOND}"`,
  );
  await mkdir(files, { recursive: true });
  await cp(pairs, files, { recursive: true });
  await writeFile(join(files, "mesh.yaml"), yaml);
  await writeFile(
    join(files, "mesh-config.yaml"),
    `meshConfig:\n  defaultConfig:\n    proxyMetadata:\n      SECRET_TTL: ${LIFETIME_SECONDS}s\n`,
  );
  return runMesh([files], join(folder, "data"));
}

async function judge(from: number, to: number): Promise<number> {
  let faults = 0;
  for (const caller of CALLERS) {
    const log = join(mesh.data, "logs/pairs", `${caller}-0`, "load.log");
    const outcomes = await outcomesBetween(log, { from, to });
    const failed = outcomes.filter(isFailure);
    const fresh = outcomes.filter(({ kept }) => !kept).length;
    const perSecond = Math.round((outcomes.length * 1000) / (to - from));
    console.log(
      `${caller}: ${outcomes.length} requests (${perSecond} a second, ${fresh} on new connections), ${failed.length} failed`,
    );
    for (const outcome of failed.slice(0, 5)) console.log(`  ${JSON.stringify(outcome)}`);
    if (failed.length > 0 || perSecond < REQUESTS_PER_SECOND * 0.8) faults++;
  }
  const expected = Math.floor((to - from) / 1000 / (LIFETIME_SECONDS / 2)) - 1;
  for (const owner of SIDECARS) {
    const log = await mesh.read(join("logs/pairs", `${owner}-0`, "sidecar.log"));
    const renewals = log.split('"certificate renewed"').length - 1;
    console.log(`${owner}: ${renewals} renewals (at least ${expected} expected)`);
    if (renewals < expected) faults++;
  }
  console.log(faults === 0 ? "passed" : `${faults} faults`);
  return faults === 0 ? 0 : 1;
}
