/** Lines of a log that are lost: told with the first, and with their number once lines are written again. */
import { describeError } from "./hauberk-error.ts";

export type LogTrouble =
  | { readonly type: "not-written"; readonly problem: string }
  | { readonly type: "written-again"; readonly lostLines: number };

export class LineLosses {
  readonly #tell: ((trouble: LogTrouble) => void) | undefined;
  #lostLines = 0;

  constructor(tell: ((trouble: LogTrouble) => void) | undefined) {
    this.#tell = tell;
  }

  lost(lines: number, problem: unknown): void {
    const isNews = this.#lostLines === 0;
    this.#lostLines += lines;
    if (isNews) this.#tell?.({ type: "not-written", problem: describeError(problem) });
  }

  written(): void {
    const lostLines = this.#lostLines;
    if (lostLines === 0) return;
    this.#lostLines = 0;
    this.#tell?.({ type: "written-again", lostLines });
  }

  /** Of one line. */
  attempt(write: () => void): void {
    try {
      write();
    } catch (problem) {
      this.lost(1, problem);
      return;
    }
    this.written();
  }
}
