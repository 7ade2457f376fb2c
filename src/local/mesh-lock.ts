/** One supervisor a data directory: a file that names the process that has it. */
import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { describeError } from "../runtime/hauberk-error.ts";
import { identifyProcess, isRunning, type ProcessIdentity } from "../runtime/process-identity.ts";
import { MeshStartError } from "./processes/own-process.ts";

export interface MeshLock {
  release(): Promise<void>;
}

/** Two that find the same stale lock at once: one of them must lose, the other try again. */
const ATTEMPTS = 5;

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
    if (held !== undefined) await removeStale(file, held);
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

/** Takes the file away to look at it: a lock that somebody else has just taken is put back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  if ((await readLock(aside)) !== stale) await createLock(file, (await readLock(aside)) ?? "");
  await rm(aside, { force: true });
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
