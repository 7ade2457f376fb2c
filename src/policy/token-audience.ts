/** Whom a token is for: a sidecar accepts none that is meant for others alone (JWT-33). */
import { comparableAudience } from "../api/comparable-audience.ts";
import { quoted } from "../api/quoted.ts";
import { formatLocation, formatRef } from "../api/resource.ts";
import type { AppliedJwtRule } from "./effective-policy.ts";
import type { TokenPayload } from "./traffic.ts";

/** Whether a token is for one of the audiences; an empty list takes any. A scheme, and a last `/`, are no matter. */
export function isMeantFor(payload: TokenPayload, audiences: readonly string[]): boolean {
  if (audiences.length === 0) return true;
  const meant = new Set(audiencesOf(payload).map(comparableAudience));
  return audiences.some((audience) => meant.has(comparableAudience(audience)));
}

/** Why a token is accepted by none of the rules that know its issuer, as a sentence. */
export function unmetAudience(
  rules: readonly AppliedJwtRule[],
  { payload, issuer }: { readonly payload: TokenPayload; readonly issuer: string },
): string {
  const demands = rules.map(({ ref, source, rule }) => {
    const audiences = rule.audiences.map(quoted).join(" or ");
    return `${formatRef(ref)} (${formatLocation(source)}) demands ${audiences}`;
  });
  const own = audiencesOf(payload).map(quoted).join(", ");
  const found = own === "" ? "has no aud" : `has aud ${own}`;
  return `the payload ${found}, so no token of the issuer ${JSON.stringify(issuer)} with it is ever verified there: ${demands.join("; ")}`;
}

function audiencesOf({ aud }: TokenPayload): readonly string[] {
  const values = Array.isArray(aud) ? aud : [aud];
  return values.filter((value) => typeof value === "string");
}
