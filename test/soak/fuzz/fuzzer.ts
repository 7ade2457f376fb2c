/** One of the fuzzers that `npm run fuzz` runs. */

export interface Fuzzer {
  /** As given on the command line. */
  readonly name: string;
  /** Prints what it found. Resolves with whether all is well. */
  run(task: FuzzTask): Promise<"well" | "at fault">;
}

export interface FuzzTask {
  /** In milliseconds since the epoch. */
  readonly end: number;
  readonly seed: number;
}
