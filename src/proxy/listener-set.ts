/** The listeners of one side, kept in step with the newest view. */
import { throwFirstFailure } from "../runtime/first-failure.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";

export interface ManagedListener {
  /** @throws ListenError */
  open(): Promise<void>;
  close(graceMs: number): Promise<void>;
}

/** How long connections of a listener that is no longer wanted may go on. */
export const CLOSE_GRACE_MS = 5_000;

export class ListenerSet {
  readonly #open = new Map<string, ManagedListener>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Closes what is not wanted any more and opens what is new.
   *
   * @param wanted by a key that says everything a change of which needs another listener
   * @throws the first ListenError, after all the others were opened
   */
  async apply(wanted: ReadonlyMap<string, () => ManagedListener>): Promise<void> {
    for (const [key, listener] of this.#open) {
      if (wanted.has(key)) continue;
      this.#open.delete(key);
      listener.close(CLOSE_GRACE_MS).catch((error: unknown) => {
        this.#log.error("listener did not close", { problem: describeError(error) });
      });
    }
    const opened = [...wanted].map(([key, create]) => this.#openOne(key, create));
    throwFirstFailure(await Promise.allSettled(opened));
  }

  async close(): Promise<void> {
    const listeners = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(listeners.map((listener) => listener.close(CLOSE_GRACE_MS)));
  }

  async #openOne(key: string, create: () => ManagedListener): Promise<void> {
    if (this.#open.has(key)) return;
    const listener = create();
    await listener.open();
    this.#open.set(key, listener);
  }
}
