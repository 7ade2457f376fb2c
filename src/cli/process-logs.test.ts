import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { buildSync } from "esbuild";

/** A process that writes lines and ends in one of several ways, most of them while lines are gathered or under way. */
const PROGRAM = `
import { openProcessLogs } from "./src/cli/process-logs.ts";
import { systemClock } from "./src/runtime/clock.ts";
const [ending, turns] = process.argv.slice(2);
const { log, writeOutput } = openProcessLogs(systemClock);
for (let turn = 0; turn < Number(turns); turn++) {
  for (let index = 0; index < 400; index++) writeOutput(turn + " " + index + " " + "x".repeat(1_000));
  await new Promise(setImmediate);
}
log.info("the end");
writeOutput("the last");
if (ending === "exit") process.exit(3);
if (ending === "throw") throw new Error("a fault of ours");
if (ending === "reject") void Promise.reject(new Error("a fault of ours"));
`;
let folder: string;
let program: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  program = join(folder, "program.mjs");
  buildSync({
    stdin: { contents: PROGRAM, resolveDir: resolve("."), loader: "ts" },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
});
after(() => rm(folder, { recursive: true }));

for (const ending of ["return", "exit", "throw", "reject"]) {
  for (const turns of [0, 5]) {
    test(`no line is lost when a process ends: ${ending} after ${turns} busy turns`, () => {
      const names = ["output", "errors"].map((name) => join(folder, `${name}-${ending}-${turns}`));
      const opened = names.map((name) => openSync(name, "a+"));
      spawnSync(process.execPath, [program, ending, String(turns)], {
        stdio: ["ignore", ...opened],
      });
      for (const descriptor of opened) closeSync(descriptor);
      const [output = "", errors = ""] = names.map((name) => readFileSync(name, "utf8"));
      const lines = output.split("\n").map((line) => line.replace(/ x+$/, ""));
      const written = Array.from({ length: turns }, (_, turn) =>
        Array.from({ length: 400 }, (_each, index) => `${turn} ${index}`),
      );
      assert.deepEqual(lines, [...written.flat(), "the last", ""]);
      assert.match(errors, /"message":"the end"/);
    });
  }
}
