/**
 * A wall clock of their own for processes of the mesh, moved while they run: by libfaketime, since TLS asks the C library
 * for the time and not Node. The monotonic clock is left alone, as a machine that sleeps leaves it.
 */
import { chmod, mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface FakedClock {
  /** In place of `node`: it, and whatever it starts of its own kind, lives by this clock. */
  readonly program: readonly [string, ...string[]];
  /** Milliseconds that the clock is ahead of the real one. */
  readonly aheadMs: number;
  moveAhead(byMs: number): Promise<void>;
}

const LIBRARY = "faketime/libfaketimeMT.so.1";

/** @throws Error when libfaketime is not installed */
export async function fakedClock(folder: string): Promise<FakedClock> {
  await mkdir(folder, { recursive: true });
  const offset = join(folder, "offset");
  const node = join(folder, "node");
  const flags = join(folder, "start-own-kind.mjs");
  await writeFile(offset, "+0");
  await writeFile(flags, `process.execPath = ${JSON.stringify(node)};\n`);
  await writeFile(node, scriptOf({ library: await findLibrary(), offset }));
  await chmod(node, 0o755);
  const clock = { aheadMs: 0 };
  return {
    program: [node, "--import", flags],
    get aheadMs() {
      return clock.aheadMs;
    },
    async moveAhead(byMs) {
      clock.aheadMs += byMs;
      await writeFile(`${offset}.new`, `+${clock.aheadMs / 1_000}`);
      await rename(`${offset}.new`, offset);
    },
  };
}

/** The environment goes with the program: the mesh hands little of its own to what it starts. */
function scriptOf({
  library,
  offset,
}: {
  readonly library: string;
  readonly offset: string;
}): string {
  return `#!/bin/sh
export LD_PRELOAD=${library} FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1
export FAKETIME_TIMESTAMP_FILE=${offset}
exec ${process.execPath} "$@"
`;
}

async function findLibrary(): Promise<string> {
  for (const folder of await readdir("/usr/lib")) {
    const path = join("/usr/lib", folder, LIBRARY);
    const found = await readdir(join("/usr/lib", folder, "faketime")).catch(() => []);
    if (found.length > 0) return path;
  }
  throw new Error("libfaketime is not installed");
}
