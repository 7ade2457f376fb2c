/** With small programs in Envoy's place, which end as they are told to. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { endEarlierEnvoy, rememberEnvoy } from "./earlier-envoy.ts";
import type { EnvoyProcessOptions } from "./envoy-process.ts";
import { KeptEnvoy } from "./kept-envoy.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

const SERVES: EnvoyProcessOptions["admin"] = {
  ask: () => Promise.resolve(""),
  isReady: () => Promise.resolve(true),
  underWay: () => Promise.resolve(0),
};
const SILENT = { ...SERVES, isReady: () => Promise.resolve(false) };

async function programOf(script: string): Promise<string> {
  const path = join(folder, "envoy");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

function optionsOf(program: string, admin = SERVES) {
  const states: string[] = [];
  const restarts: string[] = [];
  const log = recordedLog();
  const onState = (state: string): void => void states.push(state);
  const onRestart = (problem: string): void => void restarts.push(problem);
  const output = (): void => {};
  const told = { onState, onRestart, states, restarts };
  return { program, folder, concurrency: 1, admin, output, log, ...told };
}

test("one that ends again and again is started again, and then given up with its last words", async () => {
  const options = optionsOf(await programOf("echo 'critical main no port' >&2; sleep 0.1; exit 3"));
  const envoy = await KeptEnvoy.start(options);
  await assert.rejects(envoy.failed, {
    code: "HAUBERK_ENVOY_ENDED",
    message: "Envoy ended with code 3; it said last: critical main no port",
  });
  assert.deepEqual(options.states, ["starting", "ready", "starting", "ready", "starting", "ready"]);
  const ended = "Envoy ended with code 3; it said last: critical main no port";
  assert.deepEqual(options.restarts, [ended, ended, ended]);
  assert.equal(options.log.find("envoy: no port").length, 4);
  assert.equal(options.log.find("envoy: no port")[0]?.level, "error");
});

test("however long its last words are, they are told in short", async () => {
  const words = "head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2";
  const options = optionsOf(await programOf(`${words}; sleep 0.1; exit 3`));
  const envoy = await KeptEnvoy.start(options);
  await assert.rejects(envoy.failed, { code: "HAUBERK_ENVOY_ENDED" });
  assert.match(options.restarts[0] ?? "", /^Envoy ended with code 3; it said last: x+$/);
  assert.equal(options.restarts[0]?.length, 512);
});

test("one that ends before it serves did not start", async () => {
  const options = optionsOf(await programOf("echo 'error config what' >&2; exit 1"), SILENT);
  await assert.rejects(KeptEnvoy.start(options), {
    message: /code 1; it said last: error config what/,
  });
});

test("one that nobody may run is told with what to do", async () => {
  const program = await programOf("true");
  await chmod(program, 0o644);
  await assert.rejects(KeptEnvoy.start(optionsOf(program, SILENT)), {
    message: /cannot be started: .*\(uid \d+\) may not run it: put it where every user may read it/,
  });
});

test("one that is stopped stays so", async () => {
  const options = optionsOf(await programOf("exec sleep 60"));
  const envoy = await KeptEnvoy.start(options);
  await envoy.drain();
  await envoy.stop();
  assert.equal(envoy.processId, undefined);
  await assert.rejects(envoy.failed, { message: "Envoy was ended" });
  assert.deepEqual([options.states, options.restarts], [[], []]);
});

test("one that its agent left behind is ended by the next, and nobody else is", async () => {
  const envoy = await KeptEnvoy.start(optionsOf(await programOf("exec sleep 60")));
  const { processId = 0 } = envoy;
  const written = JSON.parse(await readFile(join(folder, "envoy.json"), "utf8"));
  assert.equal(written.processId, processId);
  await writeFile(join(folder, "envoy.json"), JSON.stringify({ ...written, startedAt: "0" }));
  assert.equal(await endEarlierEnvoy(folder), false, "another process with its number");
  assert.equal(envoy.processId, processId);
  await rememberEnvoy(folder, processId);
  const drained = envoy.drain(); // its end is no reason to start it again
  assert.equal(await endEarlierEnvoy(folder), true);
  await drained;
  await assert.rejects(envoy.failed, { message: /Envoy ended with SIGKILL/ });
  assert.equal(envoy.processId, undefined);
});
