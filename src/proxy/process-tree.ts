/** Linux processes as far as ownership of sockets is concerned: who descends from whom, who holds which socket. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { ProcessIdentity } from "../runtime/process-identity.ts";

interface ProcessStatus extends ProcessIdentity {
  readonly parent: number;
  readonly session: number;
}

/** Of the fields of `/proc/PID/stat` after the command's name. */
const PARENT = 1;
const SESSION = 3;
const START_TIME = 19;

/**
 * The processes, everything they started, and what those started; also those of their own sessions that lost their
 * parent. Empty when none runs. A root whose number another process has by now is no root.
 */
export function processTree(roots: readonly ProcessIdentity[]): readonly ProcessIdentity[] {
  const processes = processIds().flatMap(readStatus);
  const own = rootNumbers(roots, processes);
  const tree = new Set(processes.filter(isIn(own)).map(({ processId }) => processId));
  for (let before = 0; before !== tree.size; ) {
    before = tree.size;
    for (const { processId, parent } of processes) if (tree.has(parent)) tree.add(processId);
  }
  return processes.filter(({ processId }) => tree.has(processId));
}

/** More generations than programs have; a chain that goes round, read while processes end, ends here too. */
const MAX_GENERATIONS = 256;

/**
 * Whether `processTree(roots)` holds the process, found from below: what it costs does not grow with the machine, so
 * that strangers may ask.
 */
export function isInProcessTree(processId: number, roots: readonly ProcessIdentity[]): boolean {
  const own = rootNumbers(
    roots,
    roots.flatMap((root) => readStatus(root.processId)),
  );
  let next = processId;
  for (let generation = 0; generation < MAX_GENERATIONS; generation++) {
    const [status] = readStatus(next);
    if (status === undefined) return false;
    if (isIn(own)(status)) return true;
    next = status.parent;
  }
  return false;
}

function rootNumbers(
  roots: readonly ProcessIdentity[],
  processes: readonly ProcessStatus[],
): ReadonlySet<number> {
  const starts = new Map(processes.map(({ processId, startedAt }) => [processId, startedAt]));
  const isSame = ({ processId, startedAt }: ProcessIdentity): boolean =>
    (starts.get(processId) ?? startedAt) === startedAt;
  return new Set(roots.filter(isSame).map(({ processId }) => processId));
}

/** The session counts only when the process leads it: a terminal's session holds strangers. */
function isIn(roots: ReadonlySet<number>): (status: ProcessStatus) => boolean {
  return ({ processId, session }) => roots.has(processId) || roots.has(session);
}

export function processIds(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/**
 * Which of the sockets the processes have open; none for a process that has gone, or is another user's.
 *
 * @param inodes at least one
 * @returns by inode, the first process that holds it
 */
export function findHolders<P extends Pick<ProcessIdentity, "processId">>(
  inodes: ReadonlySet<string>,
  processes: readonly P[],
): ReadonlyMap<string, P> {
  const holders = new Map<string, P>();
  for (const holder of processes) {
    for (const inode of openSockets(holder.processId)) {
      if (!inodes.has(inode) || holders.has(inode)) continue;
      holders.set(inode, holder);
      if (holders.size === inodes.size) return holders;
    }
  }
  return holders;
}

/** High descriptors first: a socket that is asked about is new. */
function* openSockets(processId: number): Generator<string> {
  const folder = `/proc/${processId}/fd`;
  const descriptors = ifReadable(() => readdirSync(folder)) ?? [];
  for (const descriptor of descriptors.reverse()) {
    const target = ifReadable(() => readlinkSync(`${folder}/${descriptor}`));
    if (target?.startsWith("socket:[")) yield target.slice("socket:[".length, -1);
  }
}

/** As Node 24 calls the main thread of every program. */
const NODE_THREAD = "MainThread";

/** Its command's name, as `ps -o comm` shows it, and of Node that of its program. */
export function commandName(processId: number): string {
  const folder = `/proc/${processId}`;
  const name = ifReadable(() => readFileSync(`${folder}/comm`, "utf8"))?.trim() ?? "unknown";
  if (name !== NODE_THREAD) return name;
  return ifReadable(() => basename(readlinkSync(`${folder}/exe`))) ?? name;
}

/** Command names may hold spaces and brackets: the fields begin after the last one. */
function readStatus(processId: number): ProcessStatus[] {
  const text = ifReadable(() => readFileSync(`/proc/${processId}/stat`, "latin1"));
  if (text === undefined) return [];
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startedAt = fields[START_TIME] ?? "";
  return [
    { processId, startedAt, parent: Number(fields[PARENT]), session: Number(fields[SESSION]) },
  ];
}

/** Processes end while one looks at them: what cannot be read any more is not there. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
