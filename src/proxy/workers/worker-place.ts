/** Which process this is, where several serve for one sidecar: whoever started it says so in its environment. */

export interface WorkerPlace {
  /** From 1. */
  readonly number: number;
  /** How many there are to be. */
  readonly of: number;
}

const VARIABLE = "HAUBERK_SIDECAR_PROCESS";

/** @returns undefined where the process is the whole sidecar */
export function workerPlace(): WorkerPlace | undefined {
  const [number, of] = (process.env[VARIABLE] ?? "").split("/").map(Number);
  return number === undefined || of === undefined ? undefined : { number, of };
}

/** For the environment of the process that takes the place. */
export function environmentOf({ number, of }: WorkerPlace): Readonly<Record<string, string>> {
  return { [VARIABLE]: `${number}/${of}` };
}
