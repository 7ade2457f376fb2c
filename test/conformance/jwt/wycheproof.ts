/** Signed texts with keys, good and forged: one verifies with its key, or is refused. What is signed need be no token. */
import { join } from "node:path";
import { signatureProblem } from "../../../src/jwt/check-token.ts";
import { readParts, readToken, type SignedText } from "../../../src/jwt/read-token.ts";
import { readTokenKeys, type TokenKey } from "../../../src/jwt/token-keys.ts";
import { readJson } from "../networkpolicy.ts";
import {
  type ConformanceCase,
  compare,
  type ExclusionRule,
  excludedBy,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type SignatureCase = ConformanceCase & {
  /** Index into the table's `groups`. */
  readonly group: number;
  readonly comment: string;
  readonly flags: readonly string[];
  /** Another serialization than the compact one is an object. */
  readonly jws: unknown;
  readonly result: "valid" | "invalid" | "acceptable";
};

/** One key or a set of them, as the verifier gets it. */
type WrittenKeys = Readonly<Record<string, unknown>> & { readonly keys?: readonly unknown[] };

interface KeyedTable {
  readonly groups: readonly { readonly public?: WrittenKeys; readonly private: WrittenKeys }[];
}

interface KeyedCase {
  readonly test: SignatureCase;
  readonly keys: WrittenKeys;
}

const EXCLUSIONS: readonly ExclusionRule<KeyedCase>[] = [
  {
    reason:
      "a key that names an algorithm verifies no other, and one that names none that there is verifies nothing (RFC 7517 section 4.4)",
    applies: ({ test: { jws, result }, keys: { alg } }) =>
      result === "valid" && alg !== undefined && alg !== algorithmOf(jws),
  },
  {
    reason:
      "called valid with a character in it that no base64url has: such a text is refused (RFC 7515 section 2, JWT-49)",
    applies: ({ test: { jws, result } }) => result === "valid" && /[^\w.-]/.test(String(jws)),
  },
  {
    reason:
      "called invalid for its base64, of which nothing is at fault: upstream's file calls the same text valid with the same key",
    applies: ({ test: { jws, result, comment } }) =>
      result === "invalid" && /base64.?padding/i.test(comment) && isCanonical(String(jws)),
  },
  {
    reason:
      "of several keys with the id that a token names each is tried, as Envoy does (RFC 7517 section 4.5): such a set is not refused as a whole",
    applies: ({ test: { result }, keys: { keys = [] } }) =>
      result === "invalid" && hasEqualIds(keys),
  },
];

/** @param name of the table, whose keys stand beside its cases */
export function wycheproof(name: string): TableRunner {
  return table<SignatureCase>({
    fields: ["group", "comment", "flags", "jws", "result"],
    async run(test, folder) {
      const { groups } = readJson<KeyedTable>(join(folder, `${name}.json`));
      const group = groups[test.group];
      if (group === undefined) return { outcome: "skipped", reason: `no group ${test.group}` };
      const keys = group.public ?? group.private;
      const excluded = excludedBy(EXCLUSIONS, { test, keys });
      if (excluded !== undefined) return excluded;
      const { jws, result } = test;
      const text = typeof jws === "string" ? jws : JSON.stringify(jws);
      const problem = await problemOf(text, readTokenKeys(JSON.stringify(setOf(keys))));
      if (result === "acceptable") return { outcome: "passed" };
      const got = problem === undefined ? "valid" : "invalid";
      return compare({ expected: result, got });
    },
  });
}

function hasEqualIds(keys: readonly unknown[]): boolean {
  const ids = keys.flatMap((key) =>
    typeof key === "object" && key !== null && "kid" in key ? [key.kid] : [],
  );
  return new Set(ids).size < ids.length;
}

async function problemOf(text: string, keys: readonly TokenKey[]): Promise<string | undefined> {
  const signed = readSignedText(text);
  return typeof signed === "string" ? signed : signatureProblem(signed, keys);
}

const NO_CLAIMS = Buffer.from("{}").toString("base64url");

/** Of any JWS: what it signs may be anything, or nothing. All else is judged as that of a token. */
function readSignedText(text: string): SignedText | string {
  const [header = "", , ...others] = text.split(".");
  const read = readToken([header, NO_CLAIMS, ...others].join("."));
  if (typeof read === "string") return read;
  const { isBase64Url, isEmpty } = readParts(text).payload;
  const { algorithm, keyId } = read;
  return isBase64Url || isEmpty ? { text, algorithm, keyId } : "payloadEncoding";
}

function setOf(keys: WrittenKeys): WrittenKeys {
  return keys.keys === undefined ? { keys: [keys] } : keys;
}

function algorithmOf(jws: unknown): unknown {
  const [header = ""] = String(jws).split(".");
  return JSON.parse(Buffer.from(header, "base64url").toString("utf8")).alg;
}

function isCanonical(jws: string): boolean {
  return jws
    .split(".")
    .every((section) => Buffer.from(section, "base64url").toString("base64url") === section);
}
