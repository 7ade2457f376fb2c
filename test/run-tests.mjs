/**
 * Runs every test of the fast tier, or those of the files that are named. `node --test` is green when it finds no file,
 * so the list is made here and must not be empty.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { bundleTests } from "./rooms/bundle-tests.mjs";
import { processEach, testProcesses } from "./rooms/test-processes.mjs";

const wanted = process.argv.slice(2);
const processes = wanted.length > 0 ? processEach(wanted) : testProcesses();
if (processes.length === 0) {
  console.error("no test file found");
  process.exit(1);
}
const folder = resolve(".cache", "tests", `${process.pid}`);
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const flags = [
  "--enable-source-maps",
  "--test",
  "--test-concurrency=4",
  "--test-reporter=spec",
  // What hangs must fail: a run that never ends says nothing. A room counts as one, so that it is long.
  "--test-timeout=240000",
];
const modules = await bundleTests(processes, folder);
const run = spawn(process.execPath, [...flags, ...modules], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => run.kill(signal));
const [status] = await once(run, "close");
process.exitCode = status ?? 1;
