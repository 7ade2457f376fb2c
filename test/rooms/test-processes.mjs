/**
 * Which tests share a process. Starting one costs more than most files take, so that those of a room run in one; what
 * measures its own process, or hears of what others do in it, has one of its own.
 */
import { readdirSync } from "node:fs";

/** First, because they take longest: what begins last would have a core to itself. */
const LONGEST = [
  "test/demo",
  "src/ca/authority-ring.crash",
  "src/policy",
  "src/proxy/served-certificate",
  "src/api",
  "src/ca",
  "src/control",
  "src/proxy/connection-retirement",
  "src/identity",
  "src/proxy/memory",
];

/** The files below each of these run in one process. */
const SHARED = [
  "test/conformance",
  "test/kit",
  "src/api",
  "src/ca",
  "src/cli",
  "src/control",
  "src/http",
  "src/identity",
  "src/local",
  "src/policy",
  "src/proxy/balancing",
  "src/runtime",
  "src/telemetry",
  "src/wire",
];

/** They count the descriptors of their process, measure its memory, break its disk, or wait long for something. */
const ALONE = [
  "src/ca/authority-ring.crash",
  "src/runtime/linux-socket",
  "src/runtime/old-garbage",
  "test/conformance/security-e2e/carried-by-sidecars",
];

/** @returns name and files of each process, in the order in which they are to begin */
export function testProcesses() {
  const files = [...list("test"), ...list("src")];
  const named = new Map();
  for (const file of files) {
    const room = SHARED.find((one) => file.startsWith(`${one}/`));
    const name = room === undefined || ALONE.includes(alone(file)) ? alone(file) : room;
    named.set(name, [...(named.get(name) ?? []), file]);
  }
  const place = ({ name }) => (LONGEST.indexOf(name) + LONGEST.length + 1) % (LONGEST.length + 1);
  return [...named]
    .map(([name, its]) => ({ name, files: its }))
    .sort((one, other) => place(one) - place(other));
}

/** @returns one process for each file */
export const processEach = (files) => files.map((file) => ({ name: alone(file), files: [file] }));

const alone = (file) => file.replace(/\.test\.ts$/, "");

const isTest = (file) => file.endsWith(".test.ts") && !file.startsWith("interop/");

function list(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(isTest)
    .sort()
    .map((file) => `${folder}/${file}`);
}
