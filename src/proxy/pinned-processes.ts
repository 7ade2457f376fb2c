/**
 * The pod's processes, each pinned to its start when its supervisor names it: by the time a number is looked up, it may
 * be a stranger's.
 */
import { identifyProcess, type ProcessIdentity } from "../runtime/process-identity.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export class PinnedProcesses implements Watched<readonly ProcessIdentity[]> {
  readonly #pinned: WatchedValue<readonly ProcessIdentity[]>;
  readonly #unwatch: () => void;

  constructor(processIds: Watched<readonly number[]>) {
    this.#pinned = new WatchedValue<readonly ProcessIdentity[]>(pin(processIds.current, []));
    this.#unwatch = processIds.onChange((ids) => this.#pinned.set(pin(ids, this.current)));
  }

  get current(): readonly ProcessIdentity[] {
    return this.#pinned.current;
  }

  onChange(listener: (processes: readonly ProcessIdentity[]) => void): () => void {
    return this.#pinned.onChange(listener);
  }

  close(): void {
    this.#unwatch();
  }
}

/** A number that was named before and not withdrawn since means the same process as then, even if another has it now. */
function pin(ids: readonly number[], before: readonly ProcessIdentity[]): ProcessIdentity[] {
  return ids.flatMap(
    (id) => before.find(({ processId }) => processId === id) ?? identifyProcess(id) ?? [],
  );
}
