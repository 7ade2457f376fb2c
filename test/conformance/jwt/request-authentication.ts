/** The claims that are lists written as one text: a token that has them, and one more, is read by a rule that names them. */
import { tokenPayload } from "../../../src/policy/token-payload.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ClaimsCase = ConformanceCase & {
  /** Undefined: a case of another kind. Null: the rule names none. */
  readonly spaceDelimitedClaims?: readonly string[] | null;
  readonly expected: unknown;
  /** Of cases of another kind. */
  readonly requestAuthentications?: unknown;
  readonly jwtRules?: unknown;
  readonly jwksFetchMode?: unknown;
};

const NO_LIST = "no_list";
const ALWAYS = ["permission", "scope"];

export const requestAuthentication: TableRunner = table<ClaimsCase>({
  fields: [
    "spaceDelimitedClaims",
    "expected",
    "requestAuthentications",
    "jwtRules",
    "jwksFetchMode",
  ],
  exclusions: [
    {
      reason:
        "expects Envoy's configuration; translation for Envoy is a later issue's (JWT-1..JWT-9)",
      applies: ({ spaceDelimitedClaims }) => spaceDelimitedClaims === undefined,
    },
  ],
  run({ spaceDelimitedClaims, expected }) {
    const named = spaceDelimitedClaims ?? [];
    const claims = [...new Set([NO_LIST, ...ALWAYS, ...named])];
    const payload = Object.fromEntries(claims.map((claim) => [claim, "one two"]));
    const read: Readonly<Record<string, unknown>> = tokenPayload(payload, {
      spaceDelimitedClaims: named,
    });
    const lists = claims.filter((claim) => JSON.stringify(read[claim]) === '["one","two"]');
    return compare({ expected: `lists ${expected}`, got: `lists ${lists.sort()}` });
  },
});
