/** A disk that is really full: nothing is certified that is not written down, and all is well again once there is room. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const SMALL_DISK = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" --import tsx "$3" "$1"';

/** A tmpfs of one's own needs namespaces of one's own. */
const canMount =
  spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"], { timeout: 10_000 })
    .status === 0;

test("a full disk refuses, and a disk with room issues", {
  skip: canMount ? false : "no mount namespaces here",
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  try {
    const program = join(import.meta.dirname, "fill-disk.ts");
    const parameters = ["-rm", "sh", "-c", SMALL_DISK, "sh", directory, process.execPath, program];
    const { stdout } = await promisify(execFile)("unshare", parameters, { timeout: 60_000 });
    const told: unknown = JSON.parse(stdout);
    assert.deepEqual(told, {
      written: true,
      refusedWhenFull: "HAUBERK_ISSUE_LOG",
      reason: "ENOSPC",
      writtenAgain: true,
      wholeLines: true,
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});
