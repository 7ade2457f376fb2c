/**
 * Finds enclosures of containers that outlived whoever started them. They end with it, except those that were still being
 * built at that moment: bwrap asks the kernel for its own end (`--die-with-parent`) only as its last step.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { identifyProcess } from "../../runtime/process-identity.ts";
import type { RunningProcess } from "../mesh-state.ts";

const PROCESSES = "/proc";

/**
 * @param dataDirectory of the mesh that they belong to
 * @returns first processes of enclosures: what runs inside ends with them, at once, by SIGKILL and nothing less
 */
export async function findEnclosures(dataDirectory: string): Promise<readonly RunningProcess[]> {
  const names = await readdir(PROCESSES).catch(() => []); // no Linux, no enclosures
  const found = await Promise.all(
    names.filter((name) => /^\d+$/.test(name)).map((name) => findEnclosure(name, dataDirectory)),
  );
  return found.flatMap((one) => one ?? []);
}

async function findEnclosure(
  name: string,
  dataDirectory: string,
): Promise<RunningProcess | undefined> {
  if (!(await isOurs(name))) return undefined;
  const words = await commandOf(name);
  const own = words.some((word) => word.startsWith(join(dataDirectory, "pods/")));
  if (basename(words[0] ?? "") !== "bwrap" || !own) return undefined;
  const identity = identifyProcess(Number(name));
  return identity && { title: `${wordAfter("--hostname", words)} enclosure`, ...identity };
}

/** Others may call their processes as they like. */
async function isOurs(name: string): Promise<boolean> {
  try {
    const { uid } = await stat(join(PROCESSES, name));
    return uid === process.getuid?.();
  } catch {
    return false; // it has ended
  }
}

async function commandOf(name: string): Promise<readonly string[]> {
  try {
    return (await readFile(join(PROCESSES, name, "cmdline"), "utf8")).split("\0");
  } catch {
    return []; // it has ended
  }
}

function wordAfter(option: string, words: readonly string[]): string {
  return words[words.indexOf(option) + 1] ?? "";
}
