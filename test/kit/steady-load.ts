/** What the callers of `test/meshes/pairs` and `examples/two-clusters` printed about their own requests. */
import { readFile } from "node:fs/promises";

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

export const isFailure = ({ status }: RequestOutcome): boolean => status !== 200;
