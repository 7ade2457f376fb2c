/** Any SPIFFE ID, read as the identity in a peer's certificate is. */
import { parseSpiffeId, trustDomainOf } from "../../../src/identity/spiffe-id.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { readOrProblem } from "./identity-problem.ts";

type ParseCase = ConformanceCase & {
  readonly input: string;
  readonly valid: boolean;
  readonly trustDomain?: string;
  readonly path?: string;
  readonly errorContains?: string;
};

export const parseId: TableRunner = table<ParseCase>({
  fields: ["input", "valid", "trustDomain", "path", "errorContains"],
  run({ input, valid, trustDomain, path, errorContains }) {
    return compare({
      expected: valid ? `${trustDomain} and ${path}` : `refused: ${errorContains}`,
      got: readOrProblem(() => parts(input), errorContains),
    });
  },
});

function parts(input: string): string {
  const domain = trustDomainOf(parseSpiffeId(input));
  return `${domain} and ${input.slice(`spiffe://${domain}`.length)}`;
}
