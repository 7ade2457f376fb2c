/**
 * Headers of a route's match that mean no header but a claim of the verified token (JWT-76).
 * Source: `pkg/jwt/routing.go` of istio/istio
 */
export interface RoutingClaim {
  /** How the names are told apart: a name with a dot in it needs the brackets. */
  readonly form: "." | "[]";
  /** From the payload inwards; never empty. */
  readonly path: readonly string[];
}

const PREFIX = "@request.auth.claims";

/**
 * @param header as written: `@request.auth.claims.a.b`, `@request.auth.claims[a][b]`
 * @returns undefined of an ordinary header, also of one that only begins so
 */
export function routingClaim(header: string): RoutingClaim | undefined {
  if (!header.toLowerCase().startsWith(PREFIX)) return undefined;
  const rest = header.slice(PREFIX.length);
  if (rest.startsWith(".") && rest.length > 1) return { form: ".", path: rest.slice(1).split(".") };
  if (rest.startsWith("[") && rest.endsWith("]") && rest.length > 2)
    return { form: "[]", path: rest.slice(1, -1).split("][") };
  return undefined;
}
