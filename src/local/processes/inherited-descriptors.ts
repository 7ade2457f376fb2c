/** Which file descriptors of this process a child would inherit though nobody meant it to. */
import { existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { devNull } from "node:os";

/** `O_CLOEXEC`, in `/proc/PID/fdinfo`. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Node closes its own descriptors in children, but not those that it was started with itself.
 *
 * @returns numbers above 2; empty where the system does not tell
 */
export function inheritedDescriptors(): readonly number[] {
  if (!existsSync("/proc/self/fdinfo")) return [];
  return readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && !closesOnExec(descriptor));
}

/** Beyond it no descriptor is closed to children: the list would cost more than it saves. */
const MAX_DESCRIPTOR = 1_024;

/**
 * `stdio` of a child that gets nothing, not even what this process was itself started with. Above 2 Node leaves what it
 * is told to ignore as it is, so that what would be inherited is replaced by nothing.
 */
export function closedDescriptors(): ("ignore" | number)[] {
  const inherited = new Set(inheritedDescriptors());
  const highest = Math.min(MAX_DESCRIPTOR, Math.max(2, ...inherited));
  return Array.from({ length: highest + 1 }, (_, descriptor) =>
    inherited.has(descriptor) ? openNothing() : "ignore",
  );
}

let nothing: number | undefined;

function openNothing(): number {
  nothing ??= openSync(devNull, "r+");
  return nothing;
}

function closesOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"));
    return (Number.parseInt(flags?.[1] ?? "0", 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return true; // closed meanwhile, as the listing's own
  }
}
