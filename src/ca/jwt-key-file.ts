/** The file in which the keys of JWT-SVIDs rest: for its owner alone, read strictly. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { KeyDirectoryError, readOwnFile } from "./key-directory.ts";

const FORMAT = 1;
const MAX_FILE_BYTES = 65_536;
const OTHERS = 0o077;
const MAX_KEYS = 64;

/** One key, the public part of which verifiers know. */
export interface JwtKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Under which signing authority it was made. */
  readonly authority: string;
  readonly signsFrom: Date;
}

/**
 * @returns undefined when there is no such file
 * @throws KeyDirectoryError if others than the owner may touch it, or it is too long
 */
export async function readJwtKeyFile(path: string): Promise<string | undefined> {
  try {
    const { mode, bytes } = await readOwnFile(path, { maxBytes: MAX_FILE_BYTES });
    if ((mode & OTHERS) !== 0)
      throw new KeyDirectoryError(`${path} is open to others; expected 0600`);
    return bytes.toString("utf8");
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Oldest first. */
export function printJwtKeys(keys: readonly JwtKey[]): string {
  const printed = keys.map(({ keyId, privateKey, authority, signsFrom }) => ({
    keyId,
    authority,
    signsFrom: signsFrom.toISOString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
  }));
  return `${JSON.stringify({ format: FORMAT, keys: printed }, undefined, 2)}\n`;
}

/** @throws KeyDirectoryError if it is not what `printJwtKeys` makes */
export function parseJwtKeys(text: string, path: string): readonly JwtKey[] {
  const refuse = (problem: string, cause?: unknown): KeyDirectoryError =>
    new KeyDirectoryError(`${path} ${problem}`, { cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw refuse("is not JSON", cause);
  }
  if (!isRecord(parsed) || parsed["format"] !== FORMAT) throw refuse(`is not of format ${FORMAT}`);
  const { keys } = parsed;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS)
    throw refuse("holds no list of keys");
  return keys.map((key: unknown) => {
    const read = readKey(key);
    if (read === undefined) throw refuse("holds a key that cannot be read");
    return read;
  });
}

function readKey(key: unknown): JwtKey | undefined {
  if (!isRecord(key)) return undefined;
  const { keyId, authority, signsFrom, privateKeyPem } = key;
  if (typeof keyId !== "string" || keyId === "" || typeof authority !== "string") return undefined;
  if (typeof signsFrom !== "string" || typeof privateKeyPem !== "string") return undefined;
  const instant = new Date(signsFrom);
  const privateKey = parsePrivateKey(privateKeyPem);
  if (Number.isNaN(instant.getTime()) || privateKey === undefined) return undefined;
  return { keyId, authority, signsFrom: instant, privateKey };
}

/** @returns undefined for what is no key on P-256, the only one that ES256 takes */
function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined; // told by the caller, who knows the file
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
