/** Headers of routes that mean claims: each is read as the reader of VirtualServices does. */
import { routingClaim } from "../../../src/api/routing/routing-claim.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ClaimCase = ConformanceCase & { readonly header: string; readonly expected: unknown };

export const claimRouting: TableRunner = table<ClaimCase>({
  fields: ["header", "expected"],
  run: ({ header, expected }) => {
    const claim = routingClaim(header);
    const got = {
      match: claim !== undefined,
      separator: claim?.form ?? null,
      claims: claim?.path ?? [],
    };
    return compare({ expected: JSON.stringify(expected), got: JSON.stringify(got) });
  },
});
