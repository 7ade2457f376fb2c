/** Watches the user's files and offers what they say to the store whenever they change. */
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { isResourceFile, readResourceFiles } from "./resource-files.ts";
import type { ResourceStore } from "./resource-store.ts";

/** Editors write a file in several steps; a change counts once it has been quiet for this long. */
const QUIET_MS = 100;
/** Found by looking, should the operating system's notice get lost. */
const POLL_MS = 5_000;

export interface DirectorySource {
  close(): void;
}

export function watchResourceFiles(
  paths: readonly string[],
  { store, log, initial }: { store: ResourceStore; log: Log; initial: string },
): DirectorySource {
  let seen = initial;
  let timer: NodeJS.Timeout | undefined;
  let reading = Promise.resolve();
  const read = async (): Promise<void> => {
    const first = fingerprint(await readResourceFiles(paths));
    if (first === seen) return;
    await delay(QUIET_MS);
    const parsed = await readResourceFiles(paths);
    const current = fingerprint(parsed);
    if (current !== first) return soon(); // still being written
    seen = current;
    if (store.offer(parsed) === "taken")
      log.info("resource files changed", { resources: parsed.resources.length });
  };
  const enqueue = (): void => {
    reading = reading
      .then(read)
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
export function fingerprint(parsed: Awaited<ReturnType<typeof readResourceFiles>>): string {
  const text = JSON.stringify(parsed, (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
  return createHash("sha256").update(text).digest("hex");
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
