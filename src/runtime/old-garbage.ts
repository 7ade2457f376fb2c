/**
 * Old objects that nobody holds any more, collected before V8 would. It leaves itself sixteen megabytes above what lives:
 * what renewed certificates and ended connections leave behind fills them in ten minutes or in a week, and until then a
 * process grows by them and by what they hold outside of the heap.
 */
import { setTimeout as delay } from "node:timers/promises";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";

const EVERY_MS = 60_000;
/** Less is not worth a pause of about ten milliseconds. */
const LEAST_BYTES = 2 * 1024 * 1024;
/** The pause grows with what lives: who holds more leaves it to V8, which marks between other work. */
const MOST_BYTES = 32 * 1024 * 1024;
/** The spaces of objects that have outlived two collections of the young. */
const OLD_SPACES: ReadonlySet<string> = new Set(["old_space", "large_object_space"]);

/** The interpreter's own collector; absent unless it was started with `--expose-gc`. */
export interface GarbageCollector {
  /** Bytes of old objects, dead ones among them, and of what they hold outside of the heap. */
  readonly heldBytes: () => number;
  readonly collect: () => Promise<void>;
}

export function garbageCollector(): GarbageCollector | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  return { heldBytes, collect: () => gc({ type: "major", execution: "async" }) };
}

/**
 * Looks once a minute, and collects when what is held has grown by two MiB since the last time, and is not much. The first
 * look collects in any case: by then what only the start needed is old.
 *
 * @param everyMs constant but for tests
 */
export async function collectOldGarbage(
  { heldBytes, collect }: GarbageCollector,
  { signal, everyMs = EVERY_MS }: { readonly signal: AbortSignal; readonly everyMs?: number },
): Promise<void> {
  let left = 0;
  for (;;) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const held = heldBytes();
    left = Math.min(left, held); // what is outside of the heap goes some time after its object
    if (held < left + LEAST_BYTES || (left > 0 && held > MOST_BYTES)) continue;
    await collect();
    left = heldBytes();
  }
}

function heldBytes(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => OLD_SPACES.has(space_name));
  const inHeap = old.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  return inHeap + getHeapStatistics().external_memory;
}
