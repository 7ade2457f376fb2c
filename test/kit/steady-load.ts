/** What the callers of `test/meshes/pairs` and `examples/two-clusters` printed about their own requests. */
import { readFile } from "node:fs/promises";
import { eventually } from "./eventually.ts";

export interface RequestOutcome {
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly kept?: boolean;
  readonly method?: string;
  readonly ms: number;
  readonly status?: number;
  readonly error?: string;
}

/** Outcomes of the requests sent in a span of time, oldest first. */
export async function outcomesBetween(
  file: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly RequestOutcome[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as RequestOutcome)
    .filter(({ sentAt }) => sentAt >= from && sentAt < to)
    .sort((one, other) => one.sentAt - other.sentAt);
}

/**
 * A mesh is up once its sidecars are: the programs in it may listen only later, and what is sent to them by then is
 * answered by 503.
 */
export async function untilAnswered(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await eventually(`the first answer in ${file}`, async () => {
      const outcomes = await outcomesBetween(file, { from: 0, to: Date.now() });
      return outcomes.some((outcome) => !isFailure(outcome));
    });
  }
}

export const isFailure = ({ status }: RequestOutcome): boolean => status !== 200;
