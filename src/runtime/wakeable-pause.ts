/** A pause that others cut short when there is a reason not to wait any longer, also one that comes before it begins. */

export class WakeablePause {
  #woken = false;
  #end: (() => void) | undefined;

  /** Ends the pause, or the next one as soon as it begins. */
  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  /** Reasons known by now do not count for the next pause. */
  forget(): void {
    this.#woken = false;
  }

  /**
   * @returns why it is over
   * @throws the abort reason
   */
  async last(ms: number, signal: AbortSignal): Promise<"elapsed" | "woken"> {
    signal.throwIfAborted();
    if (!this.#woken) await this.#wait(ms, signal);
    signal.throwIfAborted();
    const outcome = this.#woken ? "woken" : "elapsed";
    this.#woken = false;
    return outcome;
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#end = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
      this.#end = end;
    });
  }
}
