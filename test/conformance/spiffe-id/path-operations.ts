/** Paths of identities, put together of segments as `ns/NAMESPACE/sa/ACCOUNT` is, or whole. */
import { composeSpiffeId, spiffePath } from "../../../src/identity/spiffe-id.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { readOrProblem } from "./identity-problem.ts";

type PathCase = ConformanceCase & {
  readonly segments?: readonly string[];
  readonly start?: string;
  readonly replaceWith?: string;
  readonly append?: string;
  readonly path?: string;
  readonly error?: string;
  readonly errorContains?: string;
};

const DOMAIN = "example.org";

export const pathOperations: TableRunner = table<PathCase>({
  fields: ["segments", "start", "replaceWith", "append", "path", "error", "errorContains"],
  run(test) {
    const { path, error, errorContains } = test;
    const problem = error ?? errorContains;
    return compare({
      expected: problem === undefined ? `path "${path}"` : `refused: ${problem}`,
      got: readOrProblem(() => pathOf(test), problem),
    });
  },
});

function pathOf({ segments, start = "", replaceWith, append }: PathCase): string {
  if (segments !== undefined) return `path "${spiffePath(segments)}"`;
  // What is appended must be a path of its own, or it would go on the last segment.
  if (append !== undefined) composeSpiffeId(DOMAIN, append);
  const path = replaceWith ?? `${start}${append}`;
  return `path "${composeSpiffeId(DOMAIN, path).slice(`spiffe://${DOMAIN}`.length)}"`;
}
