/** Paths of identities, put together as `ns/NAMESPACE/sa/ACCOUNT` is, or read whole. */
import { parseSpiffeId, spiffeId } from "../../../src/identity/spiffe-id.ts";
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

const DOMAIN = "spiffe://example.org";

export const pathOperations: TableRunner = table<PathCase>({
  fields: ["segments", "start", "replaceWith", "append", "path", "error", "errorContains"],
  exclusions: [
    {
      reason:
        "a path without a leading slash cannot be told from the trust domain before it (SPIFFE-ID 2.2)",
      applies: ({ segments, replaceWith, append }) =>
        segments === undefined && /^[^/]/.test(replaceWith ?? append ?? ""),
    },
    {
      reason: "no identity of a workload is made of no parts (CA-17)",
      applies: ({ segments }) => segments?.length === 0,
    },
  ],
  run(test) {
    const { path, error, errorContains } = test;
    const problem = error ?? errorContains;
    return compare({
      expected: problem === undefined ? String(path) : `refused: ${problem}`,
      got: readOrProblem(() => pathOf(test), problem),
    });
  },
});

function pathOf({ segments, start = "", replaceWith, append }: PathCase): string {
  if (segments !== undefined) return segments.map(joined).join("");
  const text = `${DOMAIN}${replaceWith ?? `${start}${append}`}`;
  return parseSpiffeId(text).slice(DOMAIN.length);
}

/** The segment as it stands in the identity of a workload whose namespace, and whose account, it is. */
function joined(segment: string): string {
  const parts = { trustDomain: "example.org", namespace: segment, serviceAccount: segment };
  const [, namespace = "", account] =
    /^spiffe:\/\/example\.org\/ns(.*)\/sa(.*)$/.exec(spiffeId(parts)) ?? [];
  if (namespace !== account) throw new Error(`${namespace} is not ${account}`);
  return namespace;
}
