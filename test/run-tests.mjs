/**
 * Runs every test of the fast tier. `node --test` is green when it finds no file, and Node 20 does not look for .ts,
 * so the list is made here and must not be empty.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const isTest = (file) => file.endsWith(".test.ts") && !file.startsWith("interop/");
const list = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(isTest)
    .map((file) => `${folder}/${file}`);

/** Their tests run in one process each: `test/rooms/`. */
const IN_ONE_PROCESS = ["api", "ca", "cli", "control", "http", "identity", "local", "policy"].map(
  (room) => `src/${room}/`,
);
const inOneProcess = (file) => IN_ONE_PROCESS.some((room) => file.startsWith(room));

const wanted = process.argv.slice(2);
const files =
  wanted.length > 0
    ? wanted
    : [...list("test"), ...list("src").filter((file) => !inOneProcess(file))];
if (files.length === 0) {
  console.error("no test file found");
  process.exit(1);
}
const flags = [
  "--import",
  "tsx",
  "--test",
  "--test-concurrency=4",
  "--test-reporter=spec",
  // What hangs must fail: a run that never ends says nothing.
  "--test-timeout=150000",
];
const { status } = spawnSync(process.execPath, [...flags, ...files], { stdio: "inherit" });
process.exit(status ?? 1);
