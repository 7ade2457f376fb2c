/**
 * Takes a JWT in compact serialization apart and looks at its shape, in the order and with the words of Envoy's library
 * (JWT-48..JWT-51). Nothing is verified here.
 */
import { type JsonObject, readJsonObject } from "./strict-json.ts";
import type { TokenProblem } from "./token-status.ts";

/** Longest token looked at, in characters; a longer one is of no shape. */
export const MAX_REQUEST_TOKEN_CHARACTERS = 16_384;

/** JWT-30 */
export type TokenAlgorithm = `${"ES" | "HS" | "RS" | "PS"}${256 | 384 | 512}` | "EdDSA";

/** What a JWS (RFC 7515) in compact serialization says of its signature. Not verified. */
export interface SignedText {
  /** As it came. */
  readonly text: string;
  readonly algorithm: TokenAlgorithm;
  readonly keyId: string | undefined;
}

/** Not verified. Times in seconds since 1970. */
export interface ReadToken extends SignedText {
  readonly payload: JsonObject;
  /** Base64url, as it came. */
  readonly encodedPayload: string;
  /** "" when it has none. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
}

export const TOKEN_ALGORITHMS: readonly TokenAlgorithm[] = [
  ...(["ES256", "ES384", "ES512", "HS256", "HS384", "HS512"] as const),
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"] as const),
];
const KNOWN: ReadonlySet<string> = new Set(TOKEN_ALGORITHMS);

export function readToken(text: string): ReadToken | TokenProblem {
  const sections = sectionsOf(text);
  if (typeof sections === "string") return sections;
  const header = readHeader(sections.header);
  if (typeof header === "string") return header;
  const payload = readPayload(sections.payload);
  if (typeof payload === "string") return payload;
  if (decoded(sections.signature) === undefined) return "signatureEncoding";
  return { text, encodedPayload: sections.payload, ...header, ...payload };
}

/** What can be read of each part by itself, so that a fault can be told: nothing of it is verified, or need be of any form. */
export interface TokenParts {
  /** How many there are, between dots. */
  readonly count: number;
  readonly header: TokenPart;
  readonly payload: TokenPart;
  readonly signature: Pick<TokenPart, "isEmpty" | "isBase64Url">;
}

export interface TokenPart {
  readonly isEmpty: boolean;
  readonly isBase64Url: boolean;
  /** Undefined: it is no JSON object, or not in one way only. */
  readonly object: JsonObject | undefined;
}

export function readParts(text: string): TokenParts {
  const parts = text.slice(0, MAX_REQUEST_TOKEN_CHARACTERS).split(".");
  const [header = "", payload = "", signature = ""] = parts;
  return {
    count: parts.length,
    header: readPart(header),
    payload: readPart(payload),
    signature: readPart(signature),
  };
}

function readPart(encoded: string): TokenPart {
  const bytes = decoded(encoded);
  const object = bytes && objectIn(bytes);
  return { isEmpty: encoded === "", isBase64Url: bytes !== undefined, object };
}

interface Sections {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

function sectionsOf(text: string): Sections | TokenProblem {
  if (text.length > MAX_REQUEST_TOKEN_CHARACTERS) return "shape";
  const [header = "", payload = "", signature = "", ...others] = text.split(".", 4);
  return signature === "" || others.length > 0 ? "shape" : { header, payload, signature };
}

function readHeader(encoded: string): Omit<SignedText, "text"> | TokenProblem {
  const bytes = decoded(encoded);
  if (bytes === undefined) return "headerEncoding";
  const header = objectIn(bytes);
  if (header === undefined) return "headerJson";
  const { alg, kid } = header;
  if (typeof alg !== "string") return "algorithmMissing";
  // RFC 7515 section 4.1.11: extensions that must be understood, and of which none is.
  if (!isKnown(alg) || Object.hasOwn(header, "crit")) return "algorithmUnknown";
  if (kid !== undefined && typeof kid !== "string") return "keyIdType";
  return { algorithm: alg, keyId: kid };
}

type Claimed = Pick<ReadToken, "payload" | "issuer" | "audiences" | "expiresAt" | "notBefore">;

function readPayload(encoded: string): Claimed | TokenProblem {
  const bytes = decoded(encoded);
  if (bytes === undefined) return "payloadEncoding";
  const payload = objectIn(bytes);
  if (payload === undefined) return "payloadJson";
  const { iss, sub, iat, nbf, exp, jti } = payload;
  const audiences = audiencesIn(payload);
  const problem =
    textProblem(iss, "issuerType") ??
    textProblem(sub, "subjectType") ??
    timeProblem(iat, "issuedAtType", "issuedAtNegative") ??
    timeProblem(nbf, "notBeforeType", "notBeforeNegative") ??
    timeProblem(exp, "expiryType", "expiryNegative") ??
    textProblem(jti, "idType");
  if (problem !== undefined) return problem;
  if (audiences === undefined) return "audienceType";
  return {
    payload,
    issuer: typeof iss === "string" ? iss : "",
    audiences,
    expiresAt: typeof exp === "number" ? exp : undefined,
    notBefore: typeof nbf === "number" ? nbf : undefined,
  };
}

function textProblem(value: unknown, problem: TokenProblem): TokenProblem | undefined {
  return value === undefined || typeof value === "string" ? undefined : problem;
}

function timeProblem(
  value: unknown,
  type: TokenProblem,
  negative: TokenProblem,
): TokenProblem | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return type;
  return value < 0 ? negative : undefined;
}

function audiencesIn({ aud }: JsonObject): readonly string[] | undefined {
  if (aud === undefined) return [];
  if (typeof aud === "string") return [aud];
  if (!Array.isArray(aud)) return undefined;
  const texts = aud.filter((one): one is string => typeof one === "string");
  return texts.length === aud.length ? texts : undefined;
}

function isKnown(algorithm: string): algorithm is TokenAlgorithm {
  return KNOWN.has(algorithm);
}

/** RFC 7515 section 2: without padding, and in one way only: the bits that are left over are zero. */
function decoded(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, "base64url");
  return bytes.toString("base64url") === encoded ? bytes : undefined;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function objectIn(bytes: Buffer): JsonObject | undefined {
  try {
    return readJsonObject(strictUtf8.decode(bytes));
  } catch {
    return undefined;
  }
}
