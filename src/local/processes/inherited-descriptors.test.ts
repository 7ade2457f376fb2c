import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";

/** Run with a descriptor that nobody meant for it, as a shell may leave one. */
const PROGRAM = `
  const { spawnSync } = await import("node:child_process");
  const { closedDescriptors } = await import("./src/local/processes/inherited-descriptors.ts");
  const [, , , ...others] = closedDescriptors();
  const list = ["-c", "for one in /proc/self/fd/*; do readlink $one; done; true"];
  const { stdout } = spawnSync("/bin/sh", list, { stdio: ["ignore", "pipe", "ignore", ...others] });
  process.stdout.write(stdout);
`;

test("what this process was itself started with is closed to a child, whatever its number", {
  skip: existsSync("/proc/self/fd") && existsSync("/bin/bash") ? false : "no /proc, or no bash",
}, () => {
  for (const descriptor of [9, 200]) {
    const run = `exec ${descriptor}</etc/hosts; exec "$@"`;
    const node = [process.execPath, "--import", "tsx", "--input-type=module", "-e", PROGRAM];
    const shell = ["-c", run, "sh", ...node];
    const { stdout, stderr } = spawnSync("/bin/bash", shell, { encoding: "utf8" });
    assert.match(stdout, /\/dev\/null/, stderr);
    assert.doesNotMatch(stdout, /hosts/, `descriptor ${descriptor}`);
  }
});
