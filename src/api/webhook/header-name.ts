/** Names of HTTP headers, as routes match, set and remove them. Each check says what is wrong, or undefined. */
import { quoted } from "../quoted.ts";
import { controlCharacterProblem } from "./control-character.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;
const PSEUDO_HEADERS = [":method", ":scheme", ":authority", ":path", ":status"];
const CLAIM_PREFIX = "@request.auth.claims";

/** A header, a pseudo header, or a claim of a verified token. */
export function matchedHeaderProblem(name: string): string | undefined {
  if (PSEUDO_HEADERS.includes(name) || isTokenClaim(name)) return undefined;
  return tokenProblem(name);
}

/** `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`: only a gateway routes by claims. */
export function isTokenClaim(name: string): boolean {
  if (!name.toLowerCase().startsWith(CLAIM_PREFIX)) return false;
  return /^(\..+|\[.+\])$/s.test(name.slice(CLAIM_PREFIX.length));
}

/** What browsers are told in CORS: a header, or `*` for all. */
export function corsHeaderProblem(name: string): string | undefined {
  return name === "*" ? undefined : tokenProblem(name);
}

/** A header set on a request: the authority may be. */
export function requestHeaderProblem(name: string): string | undefined {
  return isAuthority(name) ? undefined : nameProblem(name);
}

/** A header removed, or set on a response. */
export function plainHeaderProblem(name: string): string | undefined {
  if (name.toLowerCase() === "host") return "must not be changed: it is the authority";
  return nameProblem(name);
}

export function isAuthority(name: string): boolean {
  return [":authority", "host"].includes(name.toLowerCase());
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "must not be an empty name";
  return name.startsWith(":") ? 'must not begin with ":"' : controlCharacterProblem(name);
}

function tokenProblem(name: string): string | undefined {
  if (name === "") return "must not be an empty name";
  return TOKEN.test(name) ? undefined : `${quoted(name)} is not the name of a header`;
}
