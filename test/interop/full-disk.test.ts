/** A disk that is really full: nothing is certified that is not written down, and all is well again once there is room. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const SMALL_DISK = 'mount -t tmpfs -o "size=$4" none "$1" && exec "$2" --import tsx "$3" "$1"';

/** A tmpfs of one's own needs namespaces of one's own. */
const canMount =
  spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"], { timeout: 10_000 })
    .status === 0;

/** @returns what a program said that was given a small disk */
async function runOnSmallDisk(program: string, size: string): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  try {
    const file = join(import.meta.dirname, program);
    const parameters = ["-rm", "sh", "-c", SMALL_DISK, "sh", directory, process.execPath, file];
    const { stdout } = await promisify(execFile)("unshare", [...parameters, size], {
      timeout: 90_000,
    });
    return JSON.parse(stdout);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const skip = canMount ? false : "no mount namespaces here";

test("a full disk refuses, and a disk with room issues", { skip }, async () => {
  assert.deepEqual(await runOnSmallDisk("fill-disk.ts", "64k"), {
    written: true,
    refusedWhenFull: "HAUBERK_ISSUE_LOG",
    reason: "ENOSPC",
    writtenAgain: true,
    wholeLines: true,
  });
});

test("what runs keeps running on a full disk, and the logs tell of it once there is room", {
  skip,
}, async () => {
  assert.deepEqual(await runOnSmallDisk("fill-mesh-disk.ts", "6m"), {
    sameProcesses: true,
    lostLinesAreCounted: true,
  });
});
