/** Linux processes as far as ownership of sockets is concerned: who descends from whom, who holds which socket. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

interface ProcessStatus {
  readonly processId: number;
  readonly parent: number;
  readonly session: number;
}

/**
 * The processes, everything they started, and what those started; also those of their own sessions that lost their
 * parent. Empty when none runs.
 */
export function processTree(roots: readonly number[]): ReadonlySet<number> {
  const processes = processIds().flatMap(readStatus);
  const tree = new Set(processes.filter(isIn(roots)).map(({ processId }) => processId));
  for (let before = 0; before !== tree.size; ) {
    before = tree.size;
    for (const { processId, parent } of processes) if (tree.has(parent)) tree.add(processId);
  }
  return tree;
}

/** The session counts only when the process leads it: a terminal's session holds strangers. */
function isIn(roots: readonly number[]): (status: ProcessStatus) => boolean {
  return ({ processId, session }) => roots.includes(processId) || roots.includes(session);
}

export function processIds(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/**
 * Whether a process has the socket open; no when it has gone, or is another user's. Looks at high descriptors first: a
 * socket that is asked about is new.
 */
export function holdsSocket(processId: number, inode: string): boolean {
  const folder = `/proc/${processId}/fd`;
  const wanted = `socket:[${inode}]`;
  const descriptors = ifReadable(() => readdirSync(folder)) ?? [];
  return descriptors
    .reverse()
    .some((descriptor) => ifReadable(() => readlinkSync(`${folder}/${descriptor}`)) === wanted);
}

/** Its command's name, as `ps -o comm` shows it. */
export function commandName(processId: number): string {
  return ifReadable(() => readFileSync(`/proc/${processId}/comm`, "utf8"))?.trim() ?? "unknown";
}

/** Command names may hold spaces and brackets: the fields begin after the last one. */
function readStatus(processId: number): ProcessStatus[] {
  const text = ifReadable(() => readFileSync(`/proc/${processId}/stat`, "latin1"));
  if (text === undefined) return [];
  const [, parent, , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [{ processId, parent: Number(parent), session: Number(session) }];
}

/** Processes end while one looks at them: what cannot be read any more is not there. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
