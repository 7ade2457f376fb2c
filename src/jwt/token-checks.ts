/**
 * What is looked at in a token, in the order in which it is: each check with what it expects and what the token has. Words alone:
 * whether a check fails is found out by what a sidecar calls, and named by its `TokenProblem`.
 */
import { CLOCK_SKEW_SECONDS, type TokenDemands } from "./check-token.ts";
import {
  MAX_REQUEST_TOKEN_CHARACTERS,
  TOKEN_ALGORITHMS,
  type TokenPart,
  type TokenParts,
} from "./read-token.ts";
import type { TokenKey } from "./token-keys.ts";
import type { TokenProblem } from "./token-status.ts";

export interface ToldDemands extends TokenDemands {
  /** Where the keys are from, and how old they are; or why there are none. */
  readonly keysInWords?: string;
}

/** Of one token and one rule. */
export interface Checked {
  readonly text: string;
  readonly parts: TokenParts;
  readonly demands: ToldDemands;
  readonly now: Date;
  /** Of the check that is told. */
  readonly result: "passed" | "failed" | "not reached";
}

export interface CheckWords {
  readonly check: string;
  /** Those that mean that this check failed. */
  readonly problems: readonly TokenProblem[];
  readonly expected: (checked: Checked) => string;
  /** Never the signature, nor a claim that says anything of the user. */
  readonly got: (checked: Checked) => string;
}

/** In the order of Envoy's library, then of its filter (JWT-48..JWT-53, JWT-31..JWT-34). */
export const TOKEN_CHECKS: readonly CheckWords[] = [
  {
    check: "form",
    problems: ["shape"],
    expected: () =>
      `header.payload.signature, of at most ${MAX_REQUEST_TOKEN_CHARACTERS} characters`,
    got: tellForm,
  },
  encoding("header", "headerEncoding"),
  object("header", "headerJson"),
  {
    check: "algorithm",
    problems: ["algorithmMissing", "algorithmUnknown"],
    expected: () => `one of ${TOKEN_ALGORITHMS.join(", ")}`,
    got: ({ parts }) => `${tell(member(parts.header, "alg"))}${tellExtensions(parts.header)}`,
  },
  {
    check: "key id",
    problems: ["keyIdType"],
    expected: () => "a text, or none",
    got: ({ parts }) => tell(member(parts.header, "kid")),
  },
  encoding("payload", "payloadEncoding"),
  object("payload", "payloadJson"),
  text("iss", "issuerType"),
  text("sub", "subjectType"),
  time("iat", ["issuedAtType", "issuedAtNegative"]),
  time("nbf", ["notBeforeType", "notBeforeNegative"]),
  time("exp", ["expiryType", "expiryNegative"]),
  text("jti", "idType"),
  {
    check: "aud is a text",
    problems: ["audienceType"],
    expected: () => "a text, a list of texts, or none",
    got: ({ parts }) => tellKind(member(parts.payload, "aud")),
  },
  {
    check: "signature encoding",
    problems: ["signatureEncoding"],
    expected: () => "base64url, without padding",
    got: ({ parts }) => tellEncoding(parts.signature),
  },
  {
    check: "issuer",
    problems: ["unknownIssuer"],
    expected: ({ demands }) => (demands.issuer === "" ? "any" : tell(demands.issuer)),
    got: ({ parts }) => tell(member(parts.payload, "iss")),
  },
  {
    check: "not before",
    problems: ["notYetValid"],
    expected: ({ now }) => `at or before ${tellTime(now.getTime() / 1_000 + CLOCK_SKEW_SECONDS)}`,
    got: ({ parts }) => tellTime(member(parts.payload, "nbf")),
  },
  {
    check: "expiry",
    problems: ["expired"],
    expected: ({ now }) => `at or after ${tellTime(now.getTime() / 1_000 - CLOCK_SKEW_SECONDS)}`,
    got: ({ parts }) => tellTime(member(parts.payload, "exp")),
  },
  {
    check: "audience",
    problems: ["audience"],
    expected: ({ demands: { audiences } }) =>
      audiences.length === 0 ? "any" : audiences.map((one) => tell(one)).join(" or "),
    got: ({ parts }) => tellTexts(member(parts.payload, "aud")),
  },
  {
    check: "keys",
    problems: ["keysNotFetched", "noValidKey"],
    expected: () => "a key set that is known, with a key that can verify",
    got: ({ demands: { keys, keysInWords = "" } }) =>
      [keys === undefined ? "none" : keyCount(keys), keysInWords].filter(Boolean).join(", "),
  },
  {
    check: "key",
    problems: ["noKey"],
    expected: ({ parts }) => {
      const id = member(parts.header, "kid");
      return `a key for ${tell(member(parts.header, "alg"))}${id === undefined ? "" : ` with the id ${tell(id)}`}`;
    },
    got: ({ demands: { keys = [] } }) => keys.map(tellKey).join(", ") || "none",
  },
  {
    check: "signature",
    problems: ["signature"],
    expected: () => "made with that key, of just these bytes",
    got: ({ result }) =>
      result === "passed" ? "so made" : "made with another key, or of other bytes",
  },
];

/** A key as people tell it apart: `"k1" (EC P-256)`. Public parts only, and not those either. */
export function tellKey({ keyId, key }: TokenKey): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const size = CURVES[namedCurve ?? ""] ?? modulusLength ?? "";
  const kind = `${KEY_TYPES[key.asymmetricKeyType ?? ""] ?? "secret"} ${size}`.trim();
  return `${keyId === undefined ? "without id" : tell(keyId)} (${kind})`;
}

const KEY_TYPES: Readonly<Record<string, string>> = { ec: "EC", rsa: "RSA", ed25519: "Ed25519" };
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

function encoding(part: "header" | "payload", problem: TokenProblem): CheckWords {
  return {
    check: `${part} encoding`,
    problems: [problem],
    expected: () => "base64url, without padding",
    got: ({ parts }) => tellEncoding(parts[part]),
  };
}

function object(part: "header" | "payload", problem: TokenProblem): CheckWords {
  return {
    check: `${part} JSON`,
    problems: [problem],
    expected: () => "a JSON object, in UTF-8, each name once, at most 32 deep",
    got: ({ parts }) => (parts[part].object === undefined ? "none" : "such an object"),
  };
}

function text(claim: string, problem: TokenProblem): CheckWords {
  return {
    check: `${claim} is a text`,
    problems: [problem],
    expected: () => "a text, or none",
    got: ({ parts }) => tellKind(member(parts.payload, claim)),
  };
}

function time(claim: string, problems: readonly TokenProblem[]): CheckWords {
  return {
    check: `${claim} is a time`,
    problems,
    expected: () => "whole seconds since 1970, or none",
    got: ({ parts }) => {
      const value = member(parts.payload, claim);
      return typeof value === "number" ? String(value) : tellKind(value);
    },
  };
}

function tellForm({ text: token, parts: { count, signature } }: Checked): string {
  if (token.length > MAX_REQUEST_TOKEN_CHARACTERS) return `${token.length} characters`;
  if (count === 3 && signature.isEmpty) return "3 parts, the last of them empty";
  return count === 1 ? "1 part" : `${count} parts`;
}

function tellEncoding({ isEmpty, isBase64Url }: Pick<TokenPart, "isEmpty" | "isBase64Url">) {
  if (isEmpty) return "nothing";
  return isBase64Url ? "base64url" : "other characters, padding, or bits left over";
}

/** RFC 7515 section 4.1.11 */
function tellExtensions({ object: header = {} }: TokenPart): string {
  return Object.hasOwn(header, "crit") ? ', with extensions to be understood ("crit")' : "";
}

function member({ object: known = {} }: TokenPart, name: string): unknown {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

const MAX_TOLD = 120;

function tell(value: unknown): string {
  if (typeof value !== "string") return tellKind(value);
  const told = value.length > MAX_TOLD ? `${value.slice(0, MAX_TOLD)}…` : value;
  return JSON.stringify(told);
}

function tellKind(value: unknown): string {
  if (value === undefined) return "none";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.every(isText) ? "a list of texts" : "a list of others";
  return (
    { string: "a text", number: "a number", boolean: "true or false" }[typeof value as string] ??
    "an object"
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

const MAX_LISTED = 8;

function tellTexts(value: unknown): string {
  if (!Array.isArray(value)) return tell(value);
  const told = value.slice(0, MAX_LISTED).map(tell).join(", ");
  const others = value.length - MAX_LISTED;
  return others > 0 ? `${told} and ${others} more` : told || "none";
}

function tellTime(value: unknown): string {
  if (typeof value !== "number") return tellKind(value);
  const date = new Date(value * 1_000);
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString();
}

function keyCount({ length }: readonly TokenKey[]): string {
  return length === 1 ? "1 key" : `${length} keys`;
}
