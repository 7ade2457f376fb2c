/** `paths` against the path of a request, whose query does not count (AP-54). */
import { connectionFrom, requestOn } from "../../kit/mesh-parts.ts";
import { rulesMatchRequest } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { type EnvoyStringMatcher, has, patternOf, UNSAYABLE_PATTERNS } from "./string-pattern.ts";

type PathCase = ConformanceCase & {
  readonly matcher: EnvoyStringMatcher;
  /** Null where the request has none, as CONNECT. */
  readonly path: string | null;
  readonly match: boolean;
};

export const pathMatcher: TableRunner = table<PathCase>({
  fields: ["matcher", "path", "match"],
  exclusions: [
    ...UNSAYABLE_PATTERNS,
    {
      reason: "paths are always compared with their letter case (AP-43, AP-54)",
      applies: (test) => has(test, "ignoreCase", true),
    },
  ],
  run: ({ matcher, path, match }) =>
    compare({ expected: String(match), got: String(pathMatches(patternOf(matcher), path)) }),
});

/** Whether a policy with one value of `paths` lets a request with this path in. */
export function pathMatches(value: string, path: string | null): boolean {
  const request = requestOn(
    connectionFrom("plaintext"),
    path === null ? { method: "CONNECT", without: "path" } : { path },
  );
  return rulesMatchRequest([{ to: [{ operation: { paths: [value] } }] }], request);
}
