/** The steps of Envoy's path normalisation, as the modes of the mesh configuration put them together (AP-100..AP-107). */
import { normalizePath, pathRefusal } from "../../../src/policy/path-normalization.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { pathMatches } from "./path-matcher.ts";

type NormalizationCase = ConformanceCase & {
  readonly operation: string;
  readonly input: string;
  readonly expected?: string;
  readonly valid?: boolean;
};

export const pathNormalization: TableRunner = table<NormalizationCase>({
  fields: ["operation", "input", "expected", "valid"],
  exclusions: [
    {
      reason: "slashes are merged after dot segments are gone, never alone (AP-103)",
      applies: ({ operation, input }) =>
        operation === "mergeSlashes" && normalizePath(rooted(input), "BASE") !== rooted(input),
    },
  ],
  run(test) {
    const { operation, valid = true } = test;
    const [input, expected] = [rooted(test.input), rooted(test.expected ?? "")];
    switch (operation) {
      case "rfcNormalize":
        return compare({ expected: valid ? expected : "refused", got: baseForm(input) });
      case "mergeSlashes":
        return compare({
          expected,
          got: normalizePath(input, "MERGE_SLASHES"),
        });
      case "unescapeSlashes":
        return runUnescape(input, expected);
      case "removeQueryAndFragment":
        return compare({
          expected: `the path ${expected}`,
          got: pathMatches(expected, input) ? `the path ${expected}` : "another path",
        });
      default:
        return { outcome: "skipped", reason: `the operation ${operation} is not known` };
    }
  },
});

/** A request's path begins with a slash: what is written without one is taken to stand behind it. */
function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function baseForm(input: string): string {
  return pathRefusal(input, "BASE") === undefined ? normalizePath(input, "BASE") : "refused";
}

/** Slashes are decoded before all else, and once: what follows is what becomes of a path that came decoded (AP-104). */
function runUnescape(input: string, expected: string): CaseOutcome {
  return compare({
    expected: normalizePath(expected, "MERGE_SLASHES"),
    got: normalizePath(input, "DECODE_AND_MERGE_SLASHES"),
  });
}
