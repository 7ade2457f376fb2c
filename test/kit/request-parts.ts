/** Certificate requests put together by hand, well signed, so that any part of them can be wrong. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { formatPem } from "../../src/identity/pem.ts";
import { writeDer } from "../../src/identity/write-der.ts";

export const REQUEST_LABEL = "CERTIFICATE REQUEST";
export const ALGORITHM: Readonly<Record<"ecdsaSha256" | "rsaSha256", Buffer>> = {
  ecdsaSha256: Buffer.from("300a06082a8648ce3d040302", "hex"),
  rsaSha256: Buffer.from("300d06092a864886f70d01010b0500", "hex"),
};

/** Everything has a good default. */
export interface RequestParts {
  readonly key?: KeyObject;
  readonly hash?: string;
  readonly algorithm?: Uint8Array;
  readonly version?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly publicKeyInfo?: Uint8Array;
  readonly attributes?: Uint8Array;
  /** Further fields of what is signed, and of the whole. */
  readonly moreInfo?: Uint8Array;
  readonly more?: Uint8Array;
  /** Contents of the BIT STRING. */
  readonly signature?: Uint8Array;
}

export const p256: KeyObject = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

export function requestDer(parts: RequestParts = {}): Buffer {
  const { key = p256, hash = "sha256", algorithm = ALGORITHM.ecdsaSha256 } = parts;
  const info = writeDer(
    0x30,
    parts.version ?? Buffer.of(2, 1, 0),
    parts.subject ?? writeDer(0x30),
    parts.publicKeyInfo ?? publicKeyInfo(key),
    parts.attributes ?? writeDer(0xa0),
    parts.moreInfo ?? Buffer.alloc(0),
  );
  const signature = parts.signature ?? Buffer.concat([Buffer.of(0), sign(hash, info, key)]);
  return writeDer(0x30, info, algorithm, writeDer(3, signature), parts.more ?? Buffer.alloc(0));
}

export function requestPem(parts: RequestParts = {}): string {
  return formatPem(REQUEST_LABEL, requestDer(parts));
}

export function publicKeyInfo(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: "spki", format: "der" });
}

/** @param modulus and @param exponent as contents of INTEGERs */
export function rsaKeyInfo(modulus: Uint8Array, exponent: Uint8Array): Buffer {
  const key = writeDer(0x30, writeDer(2, modulus), writeDer(2, exponent));
  const algorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
  return writeDer(0x30, algorithm, writeDer(3, Buffer.of(0), key));
}

/** @param point as contents of the BIT STRING, without the count of unused bits */
export function ellipticKeyInfo(point: Uint8Array): Buffer {
  const algorithm = Buffer.from("301306072a8648ce3d020106082a8648ce3d030107", "hex");
  return writeDer(0x30, algorithm, writeDer(3, Buffer.of(0), point));
}

/** Attributes that ask for these extensions. */
export function askFor(...extensions: readonly Uint8Array[]): Buffer {
  return writeDer(0xa0, extensionRequest(...extensions));
}

export function extensionRequest(...extensions: readonly Uint8Array[]): Buffer {
  const type = Buffer.from("06092a864886f70d01090e", "hex");
  return writeDer(0x30, type, writeDer(0x31, writeDer(0x30, ...extensions)));
}

export function alternativeNames(...names: readonly Uint8Array[]): Buffer {
  return writeDer(0x30, Buffer.from("0603551d11", "hex"), writeDer(4, writeDer(0x30, ...names)));
}

export function uriName(uri: string): Buffer {
  return writeDer(0x86, Buffer.from(uri, "utf8"));
}

/** A name with one attribute, a common name. */
export function commonName(tag: number, text: Uint8Array): Buffer {
  const attribute = writeDer(0x30, Buffer.from("0603550403", "hex"), writeDer(tag, text));
  return writeDer(0x30, writeDer(0x31, attribute));
}
