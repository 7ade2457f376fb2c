/** From the payload of a verified token to what policies ask about: claims that are lists in one text become lists. */
import type { TokenPayload } from "./traffic.ts";

/** Split for every issuer (JWT-65). */
export const ALWAYS_SPLIT: readonly string[] = ["scope", "permission"];

/**
 * JWT-65. Only claims at the top of the payload are split, and only texts; nothing is left of what is all spaces.
 *
 * @param payload as it was in the token
 * @param rules of the RequestAuthentication that verified the token
 */
export function tokenPayload(
  payload: TokenPayload,
  { spaceDelimitedClaims }: { readonly spaceDelimitedClaims: readonly string[] },
): TokenPayload {
  const split = [...ALWAYS_SPLIT, ...spaceDelimitedClaims].flatMap((name) => {
    const claim = Object.hasOwn(payload, name) ? payload[name] : undefined;
    return typeof claim === "string" ? [[name, words(claim)] as const] : [];
  });
  return { ...payload, ...Object.fromEntries(split) };
}

function words(text: string): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}
