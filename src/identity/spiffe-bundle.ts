/**
 * SPIFFE bundles: what a trust domain's identities are verified with, as trust domains tell it one another.
 * Standard: https://spiffe.io/docs/latest/spiffe-specs/spiffe_trust_domain_and_bundle, section 4.
 */
import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from "node:crypto";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";

const MAX_CHARACTERS = 1_048_576;
const MAX_KEYS = 256;
const X509_USE = "x509-svid";
const JWT_USE = "jwt-svid";
/** Of other types an entry is passed over (section 4.2.1). */
const KEY_TYPES: readonly unknown[] = ["EC", "RSA", "OKP"];

/** A document that is no SPIFFE bundle. */
export class SpiffeBundleError extends HauberkError {
  readonly code = "HAUBERK_SPIFFE_BUNDLE";
}

export interface SpiffeBundle {
  readonly x509Authorities: readonly X509Certificate[];
  /** Public keys by their key ids. */
  readonly jwtAuthorities: ReadonlyMap<string, KeyObject>;
  /** Greater in every newer bundle. */
  readonly sequence: number | undefined;
  /** How often to look for a newer one. */
  readonly refreshHintSeconds: number | undefined;
}

type Entry = Readonly<Record<string, unknown>>;

/**
 * Entries of other uses and unknown types of key are passed over; one that is of ours and faulty refuses the whole.
 *
 * @throws SpiffeBundleError
 */
export function parseSpiffeBundle(text: string): SpiffeBundle {
  if (text.length > MAX_CHARACTERS)
    throw new SpiffeBundleError(`the bundle is longer than ${MAX_CHARACTERS} characters`);
  const document = parseDocument(text);
  const entries = readEntries(document);
  const known = entries.filter(({ kty }) => KEY_TYPES.includes(kty));
  const x509 = known.filter(({ use }) => use === X509_USE).map(readAuthority);
  const jwt = known.filter(({ use }) => use === JWT_USE).map(readJwtAuthority);
  return {
    x509Authorities: distinct(x509),
    jwtAuthorities: new Map(jwt),
    sequence: readNumber(document, "spiffe_sequence"),
    refreshHintSeconds: readNumber(document, "spiffe_refresh_hint"),
  };
}

export function printSpiffeBundle(bundle: SpiffeBundle): string {
  const { x509Authorities, jwtAuthorities, sequence, refreshHintSeconds } = bundle;
  const x509 = x509Authorities.map((certificate) => ({
    use: X509_USE,
    ...certificate.publicKey.export({ format: "jwk" }),
    x5c: [certificate.raw.toString("base64")],
  }));
  const jwt = [...jwtAuthorities].map(([kid, key]) => ({
    use: JWT_USE,
    kid,
    ...key.export({ format: "jwk" }),
  }));
  return JSON.stringify({
    keys: [...x509, ...jwt],
    spiffe_sequence: sequence,
    spiffe_refresh_hint: refreshHintSeconds,
  });
}

function parseDocument(text: string): Entry {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new SpiffeBundleError("the bundle is not JSON");
  }
  if (!isEntry(document)) throw new SpiffeBundleError("the bundle is not a JSON object");
  return document;
}

function readEntries({ keys }: Entry): readonly Entry[] {
  if (!Array.isArray(keys) || !keys.every(isEntry))
    throw new SpiffeBundleError('the bundle has no list of keys named "keys"');
  if (keys.length > MAX_KEYS)
    throw new SpiffeBundleError(`the bundle has ${keys.length} keys: at most ${MAX_KEYS} are read`);
  const untyped = keys.findIndex(({ kty }) => typeof kty !== "string");
  if (untyped >= 0) throw new SpiffeBundleError(`key ${untyped + 1} of the bundle has no "kty"`);
  return keys;
}

/** Section 4.2.2: exactly one certificate, whose key is the one that the entry states. */
function readAuthority(entry: Entry): X509Certificate {
  const { x5c } = entry;
  const [text, ...others]: readonly unknown[] = Array.isArray(x5c) ? x5c : [];
  if (typeof text !== "string" || others.length > 0)
    throw new SpiffeBundleError(`an entry ${X509_USE} must hold one certificate as "x5c"`);
  const certificate = attempt("a certificate of the bundle cannot be read", () => {
    const der = Buffer.from(text, "base64");
    if (der.toString("base64") !== text) throw new SpiffeBundleError("it is not base64");
    return new X509Certificate(der);
  });
  const certified = attempt("a certificate's key cannot be read", () => certificate.publicKey);
  if (!readKey(entry).equals(certified))
    throw new SpiffeBundleError("an entry's certificate is of another key than it states");
  return certificate;
}

function readJwtAuthority(entry: Entry): readonly [string, KeyObject] {
  const { kid } = entry;
  if (typeof kid !== "string" || kid === "")
    throw new SpiffeBundleError(`an entry ${JWT_USE} must have a "kid"`);
  return [kid, readKey(entry)];
}

/** Only what is public is looked at: a private key that somebody published by mistake is not taken over. */
function readKey({ kty, crv, x, y, n, e }: Entry): KeyObject {
  const stated = Object.entries({ kty, crv, x, y, n, e }).filter(
    ([, value]) => value !== undefined,
  );
  const key: JsonWebKey = Object.fromEntries(stated);
  return attempt("a key of the bundle cannot be read", () =>
    createPublicKey({ key, format: "jwk" }),
  );
}

function readNumber(document: Entry, name: string): number | undefined {
  const value = document[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new SpiffeBundleError(`the bundle's "${name}" is not a whole number that is 0 or more`);
}

function distinct(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint256, one] as const)).values()];
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SpiffeBundleError(`${problem}: ${describeError(error)}`);
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
