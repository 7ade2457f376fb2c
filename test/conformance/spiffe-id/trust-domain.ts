/** Trust domains, by themselves and in an identity. */
import { parseSpiffeId, spiffeId, trustDomainOf } from "../../../src/identity/spiffe-id.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { readOrProblem } from "./identity-problem.ts";

type TrustDomainCase = ConformanceCase & {
  readonly input: string;
  readonly valid: boolean;
  readonly trustDomain?: string;
  readonly errorContains?: string;
};

export const trustDomain: TableRunner = table<TrustDomainCase>({
  fields: ["input", "valid", "trustDomain", "errorContains"],
  run({ input, valid, trustDomain: expected, errorContains }) {
    return compare({
      expected: valid ? String(expected) : `refused: ${errorContains}`,
      got: readOrProblem(() => trustDomainIn(input), errorContains),
    });
  },
});

/** A name alone stands in an identity; with a slash it would end there, where one is made of parts as where one is read. */
function trustDomainIn(input: string): string {
  if (input.includes(":/")) return trustDomainOf(parseSpiffeId(input));
  if (!input.includes("/")) return trustDomainOf(parseSpiffeId(`spiffe://${input}`));
  const parts = { trustDomain: input, namespace: "shop", serviceAccount: "cart" };
  return trustDomainOf(spiffeId(parts));
}
