/** One supervisor a data directory: a file that names the process that has it. */
import { createHash, randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "../runtime/atomic-file.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { identifyProcess, isRunning, type ProcessIdentity } from "../runtime/process-identity.ts";
import { MeshStartError } from "./processes/own-process.ts";

export interface MeshLock {
  release(): Promise<void>;
}

/** Two that find the same stale lock at once: one of them must lose, the other try again. */
const ATTEMPTS = 20;
const PAUSE_MS = 10;

/**
 * @param file made only if it is not there; one that a dead process left is taken over
 * @throws MeshStartError when another process has it
 */
export async function takeMeshLock(file: string): Promise<MeshLock> {
  const own = JSON.stringify(identifyProcess(process.pid));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await createLock(file, own)) return { release: () => releaseLock(file, own) };
    const held = await readLock(file);
    const holder = held === undefined ? undefined : parseHolder(held);
    if (holder !== undefined && isRunning(holder)) throw alreadyRuns(holder);
    if (held !== undefined && (await takeOver(file, held, own)))
      return { release: () => releaseLock(file, own) };
    await delay(PAUSE_MS);
  }
  throw new MeshStartError(`${file} cannot be taken: others take it at the same time; try again`);
}

function alreadyRuns({ processId }: ProcessIdentity): MeshStartError {
  return new MeshStartError(
    `a mesh already runs with this data directory (process ${processId}); end it with \`hauberk down\`, or choose another folder with --data`,
  );
}

/** The file appears whole: a reader never sees an empty lock. */
async function createLock(file: string, text: string): Promise<boolean> {
  const whole = `${file}.${randomUUID()}`;
  await writeFile(whole, text, { mode: 0o600 });
  try {
    await link(whole, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw new MeshStartError(`${file} cannot be made: ${describeError(error)}`, { cause: error });
  } finally {
    await rm(whole);
  }
}

/**
 * Puts our own lock in the place of a stale one. Of those that found it only one may, since each would take the next one's
 * lock for the stale one: whoever makes the mark of that lock first, and then finds it still there.
 */
async function takeOver(file: string, stale: string, own: string): Promise<boolean> {
  const mark = `${file}.${createHash("sha256").update(stale).digest("hex").slice(0, 16)}`;
  if (!(await createLock(mark, own))) {
    await dropAbandoned(mark);
    return false;
  }
  try {
    if ((await readLock(file)) !== stale) return false;
    await replaceFile(file, own, { mode: 0o600 });
    return true;
  } finally {
    await rm(mark, { force: true });
  }
}

/** Of a process that ended between two steps. */
async function dropAbandoned(mark: string): Promise<void> {
  const held = await readLock(mark);
  const holder = held === undefined ? undefined : parseHolder(held);
  if (holder !== undefined && !isRunning(holder)) await rm(mark, { force: true });
}

async function releaseLock(file: string, own: string): Promise<void> {
  if ((await readLock(file)) === own) await rm(file, { force: true });
}

/** @returns undefined when there is none */
async function readLock(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** @returns undefined for what a crash cut off */
function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
