/** The payload that a case's token leaves behind once it has been verified (JWT-65, JWT-68). */
import type { TokenPayload } from "../../src/policy/traffic.ts";
import type { E2eCase, NotApplicable } from "./e2e-case.ts";
import type { E2eFolder } from "./e2e-folder.ts";

const ALWAYS_SPLIT = ["scope", "permission"] as const;

/** @returns undefined where no token is verified; why not, where verification itself is what the case asks about */
export function payloadFor(
  test: E2eCase,
  folder: E2eFolder,
): { readonly payload: TokenPayload } | NotApplicable | undefined {
  const written = /^Bearer \$\{(\w+)\}$/.exec(test.to.headers?.["Authorization"] ?? "");
  const issuers = folder.acceptedIssuers(test);
  if (written === null || issuers.length === 0) return undefined;
  const token = folder.tokens[written[1] ?? ""]?.payload;
  const accepted = issuers.find(({ issuer }) => issuer === token?.["iss"]);
  if (token === undefined || accepted === undefined || accepted.asksMore) {
    return { notApplicable: "the verification of a token decides (JWT-16)" };
  }
  const split: readonly string[] = [...ALWAYS_SPLIT, ...accepted.spaceDelimitedClaims];
  const claims = Object.entries(token).map(([name, value]) => [
    name,
    split.includes(name) && typeof value === "string" ? value.split(" ") : value,
  ]);
  return { payload: Object.fromEntries(claims) };
}
