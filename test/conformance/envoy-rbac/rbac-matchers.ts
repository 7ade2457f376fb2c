/** One permission or principal against one request. */
import { rulesMatchRequest } from "../policy-evaluation.ts";
import { compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { requestOf } from "./envoy-request.ts";
import { rulesOf } from "./rbac-formula.ts";
import { type RequestCase, UNSAYABLE } from "./unsayable-conditions.ts";

type MatcherCase = RequestCase & { readonly match?: boolean };

export const rbacMatchers: TableRunner = table<MatcherCase>({
  fields: ["permission", "principal", "request", "match", "errorMatches"],
  exclusions: UNSAYABLE,
  run({ permission, principal, request = {}, match }) {
    const condition = permission ?? principal;
    if (condition === undefined) return { outcome: "skipped", reason: "nothing is asked" };
    const got = rulesMatchRequest(rulesOf([[condition]]), requestOf(request));
    return compare({ expected: String(match), got: String(got) });
  },
});
