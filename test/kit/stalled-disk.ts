/**
 * A disk that stops obeying after some operations, to see what a process leaves behind that is killed there. What
 * stalls never goes on, so no clean-up runs either, just as after `kill -9`. What fails says so (ENOSPC): once, or for good.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import files, { type FileHandle, open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** What changes the disk, or may; reading does not count. */
const OPERATIONS = ["mkdir", "mkdtemp", "open", "rename", "rm", "link", "unlink"] as const;
const HANDLE_OPERATIONS = ["writeFile", "write", "sync", "chmod"] as const;

export type DiskFault = "stalls" | "fails once" | "fails for good";

interface Work {
  left: number;
  readonly fault: DiskFault;
  readonly struck: () => void;
  readonly stalled: () => void;
  /** Kept, so that those of work that stalled are closed by us and not by the garbage collector. */
  readonly handles: { close(): Promise<void> }[];
}

const current = new AsyncLocalStorage<Work>();

/** Runs `work` until it has made so many operations on the disk, and one more is due; `onStruck` hears of that one. */
export async function withDisk<T>(
  {
    operations,
    fault,
    onStruck: struck = () => {},
  }: { readonly operations: number; readonly fault: DiskFault; readonly onStruck?: () => void },
  work: () => Promise<T>,
): Promise<{ readonly done: T } | { readonly error: unknown } | "stalled"> {
  const handles: Work["handles"] = [];
  const outcome = new Promise<Awaited<ReturnType<typeof withDisk<T>>>>((resolve) => {
    const state = { left: operations, fault, handles, struck, stalled: () => resolve("stalled") };
    current.run(state, () => {
      work().then(
        (done) => resolve({ done }),
        (error: unknown) => resolve({ error }),
      );
    });
  });
  const end = await outcome;
  for (const handle of handles) await handle.close();
  return end;
}

/** Once for the process: every later operation of `node:fs/promises` asks first. */
export async function installStallingDisk(): Promise<void> {
  const handle: FileHandle = await open("/dev/null");
  for (const name of HANDLE_OPERATIONS) guard(Object.getPrototypeOf(handle), name);
  await handle.close();
  for (const name of OPERATIONS) guard(files, name);
  syncBuiltinESMExports();
}

function guard(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function") throw new TypeError(`there is no ${name}`);
  Reflect.set(owner, name, async function guarded(this: unknown, ...given: unknown[]) {
    const work = current.getStore();
    const perform = async (what: unknown[]): Promise<unknown> =>
      Reflect.apply(original, this, what);
    if (work !== undefined && work.left-- <= 0) await disobey(work, { name, given, perform });
    const result = await perform(given);
    if (work !== undefined && isHandle(result)) work.handles.push(result);
    return result;
  });
}

async function disobey(
  work: Work,
  operation: {
    readonly name: string;
    readonly given: unknown[];
    readonly perform: (given: unknown[]) => Promise<unknown>;
  },
): Promise<void> {
  work.struck();
  if (work.fault === "stalls") {
    // A process may be killed when half of a file is written.
    const [text] = operation.given;
    if (operation.name === "writeFile" && typeof text === "string")
      await operation.perform([text.slice(0, text.length / 2)]);
    work.stalled();
    await new Promise(() => undefined);
  }
  if (work.fault === "fails once") work.left = Number.POSITIVE_INFINITY;
  throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
}

function isHandle(result: unknown): result is FileHandle {
  return typeof result === "object" && result !== null && "close" in result && "fd" in result;
}
