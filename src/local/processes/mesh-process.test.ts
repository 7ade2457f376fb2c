import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MeshProcess, type ProcessPlan } from "./mesh-process.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

const plan = (program: string, changes: Partial<ProcessPlan> = {}): ProcessPlan => ({
  title: "test",
  command: [process.execPath, "-e", program],
  environment: {},
  workingDirectory: folder,
  logDirectory: folder,
  output: "out.log",
  errors: "errors.log",
  pipe: "none",
  ...changes,
});

const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");

test("a process with bounded logs can read them, and holds a predecessor of each", async () => {
  const program = `
    const fs = require("node:fs");
    fs.writeSync(1, "output");
    fs.writeSync(4, "older " + fs.readFileSync(process.env.OUTPUT, "utf8") + fs.readSync(1, Buffer.alloc(9), 0, 9, 0));
    fs.writeSync(5, process.env.HAUBERK_LOG_PREDECESSORS);`;
  const environment = { OUTPUT: join(folder, "out.log") };
  const started = await MeshProcess.start(plan(program, { logs: "bounded", environment }));
  assert.deepEqual(await started.exit, { code: 0, signal: null });
  assert.equal(await read("out.log.1"), "older output6");
  assert.equal(await read("errors.log.1"), "1");
});

test("an application gets none of that", async () => {
  const program = `
    const fs = require("node:fs");
    const isFile = (descriptor) => { try { return fs.fstatSync(descriptor).isFile() } catch { return false } };
    process.exitCode = isFile(4) || isFile(5) || process.env.HAUBERK_LOG_PREDECESSORS ? 1 : 0;`;
  const started = await MeshProcess.start(plan(program));
  assert.deepEqual(await started.exit, { code: 0, signal: null });
});
