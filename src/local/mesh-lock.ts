/** One supervisor a data directory: a file that names the process that has it. */
import { open, readFile, rm } from "node:fs/promises";
import { describeError } from "../runtime/hauberk-error.ts";
import { identifyProcess, isRunning, type ProcessIdentity } from "../runtime/process-identity.ts";
import { MeshStartError } from "./own-process.ts";

export interface MeshLock {
  release(): Promise<void>;
}

/** Two that find the same stale lock at once: one of them must lose, the other try again. */
const ATTEMPTS = 3;

/**
 * @param file made only if it is not there; one that a dead process left is taken over
 * @throws MeshStartError when another process has it
 */
export async function takeMeshLock(file: string): Promise<MeshLock> {
  const own = identifyProcess(process.pid);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await createLock(file, JSON.stringify(own)))
      return { release: () => rm(file, { force: true }) };
    const holder = await readHolder(file);
    if (holder !== undefined && isRunning(holder)) {
      throw new MeshStartError(
        `a mesh already runs with this data directory (process ${holder.processId}); end it with \`hauberk down\`, or choose another folder with --data`,
      );
    }
    await rm(file, { force: true });
  }
  throw new MeshStartError(`${file} cannot be taken: others take it at the same time; try again`);
}

async function createLock(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw new MeshStartError(`${file} cannot be made: ${describeError(error)}`, { cause: error });
  }
}

/** @returns undefined when the file is gone again, or was cut off by a crash */
async function readHolder(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
