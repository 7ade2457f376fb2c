/** Watches the user's files, and tells their texts whenever they change. */
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { isResourceFile, type ReadTexts, readTexts } from "./resource-files.ts";

/** Editors write a file in several steps; a change counts once it has been quiet for this long. */
const QUIET_MS = 100;
/** Found by looking, should the operating system's notice get lost. */
const POLL_MS = 5_000;

export interface DirectorySource {
  close(): void;
}

export function watchResourceFiles(
  paths: readonly string[],
  {
    initial,
    onChange,
    log,
  }: {
    /** What the files hold by now. */
    readonly initial: ReadTexts;
    readonly onChange: (read: ReadTexts) => void;
    readonly log: Log;
  },
): DirectorySource {
  let seen = fingerprint(initial);
  let timer: NodeJS.Timeout | undefined;
  let reading = Promise.resolve();
  const look = async (): Promise<void> => {
    const first = fingerprint(await readTexts(paths));
    if (first === seen) return;
    await delay(QUIET_MS);
    const read = await readTexts(paths);
    const current = fingerprint(read);
    if (current !== first) return soon(); // still being written
    seen = current;
    onChange(read);
  };
  const enqueue = (): void => {
    reading = reading
      .then(look)
      .catch((error: unknown) =>
        log.error("resource files not read", { problem: describeError(error) }),
      );
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(enqueue, QUIET_MS);
  };
  const watchers = watchPaths(paths, { soon, log });
  const poll = setInterval(enqueue, POLL_MS);
  poll.unref();
  return {
    close() {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Equal for equal contents, so that a touched file changes nothing; a hash, so that no secret is kept. */
function fingerprint(read: ReadTexts): string {
  return createHash("sha256").update(JSON.stringify(read)).digest("hex");
}

/** A file is replaced by rename as often as it is written to, so its folder is watched too. */
function watchPaths(
  paths: readonly string[],
  { soon, log }: { soon: () => void; log: Log },
): FSWatcher[] {
  const watchers: FSWatcher[] = [];
  for (const path of new Set(paths.flatMap((path) => [path, dirname(path)]))) {
    try {
      const watcher = watch(path, (_event, name) => {
        if (name === null || isResourceFile(name)) soon();
      });
      watcher.on("error", (error) =>
        log.warn("file watch ended", { path, problem: error.message }),
      );
      watchers.push(watcher);
    } catch (error) {
      log.warn("file watch not possible", { path, problem: describeError(error) });
    }
  }
  return watchers;
}
