/**
 * Keeps the state of a mesh on disk. Processes are in the file from the moment they run, so that a later `up` finds them
 * whatever happens. Where the file cannot be written, as on a full disk, what runs keeps running.
 */
import { describeError } from "../runtime/hauberk-error.ts";
import { type MeshState, writeMeshState } from "./mesh-state.ts";

export class MeshStateWriter {
  readonly #path: string;
  readonly #report: (problem: string) => void;
  #writing: Promise<void> = Promise.resolve();
  /** Told once, until it can be written again. */
  #isFailing = false;

  constructor(path: string, report: (problem: string) => void) {
    this.#path = path;
    this.#report = report;
  }

  /** One after the other. @param state asked when it is its turn */
  write(state: () => MeshState): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeNow(state));
    return this.#writing;
  }

  async #writeNow(state: () => MeshState): Promise<void> {
    try {
      await writeMeshState(this.#path, state());
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#report(describeError(error));
      this.#isFailing = true;
    }
  }
}
