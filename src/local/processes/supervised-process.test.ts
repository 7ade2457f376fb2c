import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { identifyProcess } from "../../runtime/process-identity.ts";
import type { ProcessPlan } from "./mesh-process.ts";
import { type ProcessEvent, SupervisedProcess, type Supervision } from "./supervised-process.ts";

/** A supervised Node program, and all that was reported of it. */
async function supervise(
  context: TestContext,
  program: string,
  options: Partial<Supervision> = {},
): Promise<{ process: SupervisedProcess; events: ProcessEvent[]; output: () => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const events: ProcessEvent[] = [];
  const plan: ProcessPlan = {
    title: "program",
    command: [process.execPath, "-e", program],
    environment: {},
    workingDirectory: folder,
    logDirectory: folder,
    output: "out.log",
    errors: "out.log",
    pipe: "none",
  };
  const supervised = new SupervisedProcess({
    title: "program",
    restart: "always",
    plan: async () => plan,
    report: (event) => events.push(event),
    random: () => 0,
    ...options,
  });
  context.after(async () => {
    await supervised.stop();
    await rm(folder, { recursive: true });
  });
  return { process: supervised, events, output: () => readFile(join(folder, "out.log"), "utf8") };
}

const STAY = "console.log('up'); setInterval(() => {}, 1000)";

test("a killed process is started again, and says how it ended", async (context) => {
  const { process: supervised, events } = await supervise(context, STAY);
  await supervised.start();
  const first = supervised.processId ?? assert.fail("it runs");
  process.kill(first, "SIGKILL");
  await eventually("another process", () => supervised.processId !== first && supervised.processId);
  assert.equal(supervised.restarts, 1);
  const end = events.find((event) => event.type === "ended");
  assert.equal(end?.type === "ended" && end.exit.signal, "SIGKILL");
});

test("what it keeps running counts as it does", async (context) => {
  const { process: supervised, events } = await supervise(context, STAY);
  await supervised.start();
  const { processId } = supervised;
  supervised.countInnerRestart("Envoy ended with SIGKILL");
  assert.deepEqual([supervised.restarts, supervised.phase], [1, "running"]);
  assert.equal(supervised.processId, processId);
  assert.deepEqual(events.at(-1), { type: "restarted", problem: "Envoy ended with SIGKILL" });
});

test("what it keeps running is not counted against its own limit", async (context) => {
  const { process: supervised } = await supervise(context, "process.exit(3)", {
    restart: "on-failure",
    restartLimit: 1,
  });
  supervised.countInnerRestart("ended");
  await supervised.start();
  await supervised.finished();
  assert.equal(supervised.restarts, 2);
});

test("a job that succeeds is not started again", async (context) => {
  const { process: supervised, output } = await supervise(context, "console.log('done')", {
    restart: "on-failure",
  });
  await supervised.start();
  await supervised.finished();
  assert.equal(supervised.phase, "completed");
  assert.equal(await output(), "done\n");
});

test("a job that fails is tried again up to its limit, waiting longer each time", async (context) => {
  const { process: supervised, events } = await supervise(context, "process.exit(3)", {
    restart: "on-failure",
    restartLimit: 2,
  });
  await supervised.start();
  await supervised.finished();
  assert.equal(supervised.lastExit?.code, 3);
  const waits = events.flatMap((event) => ("restartInMs" in event ? [event.restartInMs] : []));
  assert.deepEqual(waits, [50, 100]);
});

test("stopping ends it and everything it started", async (context) => {
  const program = `
    const { pid } = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STAY)}]);
    console.log(pid); setInterval(() => {}, 1000)`;
  const { process: supervised, output } = await supervise(context, program);
  await supervised.start();
  while ((await output()) === "") await delay(10);
  const child = Number(await output());
  assert.ok(identifyProcess(child));
  await supervised.stop();
  assert.equal(supervised.phase, "stopped");
  await eventually("the child's end", () => identifyProcess(child) === undefined);
});

test("a start that cannot be prepared is undone and reported to whoever asked", async (context) => {
  const { process: supervised } = await supervise(context, STAY, {
    prepare: async () => {
      throw new Error("no certificate");
    },
  });
  await assert.rejects(supervised.start(), /no certificate/);
  assert.equal(supervised.processId, undefined);
});

test("what a process started ends with it, also when it ends by itself", async (context) => {
  const program = `
    const { pid } = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STAY)}]);
    console.log(pid); setTimeout(() => process.exit(1), 50)`;
  const { process: supervised, output } = await supervise(context, program, { restart: "never" });
  await supervised.start();
  await supervised.finished();
  const child = Number((await output()).split("\n")[0]);
  assert.ok(child > 0);
  await eventually("the child's end", () => identifyProcess(child) === undefined);
});
