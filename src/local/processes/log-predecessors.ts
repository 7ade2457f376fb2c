/** The files that take what full logs of our processes held, and by which descriptors a process has them. */
export const LOG_PREDECESSORS: {
  readonly variable: string;
  readonly descriptors: ReadonlyMap<number, number>;
} = {
  /** Set in the environment of a process that was given them. */
  variable: "HAUBERK_LOG_PREDECESSORS",
  /** By the descriptor of the log. */
  descriptors: new Map([
    [1, 4],
    [2, 5],
    [6, 7],
  ]),
};

/** The descriptor of the log that users configure; only sidecars have it. */
export const ACCESS_LOG_DESCRIPTOR = 6;

/** @param log name of a log's file */
export function predecessorName(log: string): string {
  return `${log}.1`;
}
