/**
 * What can be wrong with a token that a request carries, in the words that Envoy answers with: clients and dashboards of
 * Istio's users know them (JWT-40..JWT-53).
 */

/** By its name: the body of the answer. */
export const TOKEN_PROBLEMS = {
  missing: "Jwt is missing",
  unknownIssuer: "Jwt issuer is not configured",
  expired: "Jwt is expired",
  notYetValid: "Jwt not yet valid",
  audience: "Audiences in Jwt are not allowed",
  signature: "Jwt verification fails",
  noKey: "Jwks doesn't have key to match kid or alg from Jwt",
  keysNotFetched: "Jwks remote fetch is failed",
  noValidKey: "Jwks doesn't have any valid public key",
  shape: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
  headerEncoding: "Jwt header is an invalid Base64url encoded",
  headerJson: "Jwt header is an invalid JSON",
  algorithmMissing: "Jwt header [alg] field is required and must be a string",
  algorithmUnknown: "Jwt header [alg] is not supported",
  keyIdType: "Jwt header [kid] field is not a string",
  payloadEncoding: "Jwt payload is an invalid Base64url encoded",
  payloadJson: "Jwt payload is an invalid JSON",
  issuerType: "Jwt payload [iss] field is not a string",
  subjectType: "Jwt payload [sub] field is not a string",
  issuedAtType: "Jwt payload [iat] field is not an integer",
  issuedAtNegative: "Jwt payload [iat] field is not a positive integer",
  notBeforeType: "Jwt payload [nbf] field is not an integer",
  notBeforeNegative: "Jwt payload [nbf] field is not a positive integer",
  expiryType: "Jwt payload [exp] field is not an integer",
  expiryNegative: "Jwt payload [exp] field is not a positive integer",
  idType: "Jwt payload [jti] field is not a string",
  audienceType: "Jwt payload [aud] field is not a string or string list",
  signatureEncoding: "Jwt signature is an invalid Base64url encoded",
  busy: "Too many Jwt signatures are being verified",
} as const;

export type TokenProblem = keyof typeof TOKEN_PROBLEMS;

/** JWT-34; 503 where it is not known whether the token is good. */
export function statusOf(problem: TokenProblem): 401 | 403 | 503 {
  if (problem === "busy") return 503;
  return problem === "audience" ? 403 : 401;
}
