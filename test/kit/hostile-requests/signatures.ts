/** What is wrong with the proof of possession, or with the algorithm of it. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { formatPem } from "../../../src/identity/pem.ts";
import { writeDer } from "../../../src/identity/write-der.ts";
import type { Dice } from "../dice.ts";
import {
  ALGORITHM,
  p256,
  publicKeyInfo,
  REQUEST_LABEL,
  type RequestParts,
  requestDer,
  requestPem,
} from "../request-parts.ts";
import { below, bytes, type HostileKind } from "./hostile-kind.ts";

const elliptic = (namedCurve: string): KeyObject =>
  generateKeyPairSync("ec", { namedCurve }).privateKey;
const otherKey = elliptic("P-256");
const rsa2048 = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

export const SIGNATURE_KINDS: readonly HostileKind[] = [
  ["one changed byte", (dice) => flipped(dice), /./],
  [
    "the signature of another key",
    () => requestPem({ key: otherKey, publicKeyInfo: publicKeyInfo(p256) }),
    /does not verify/,
  ],
  [
    "a random signature",
    (dice) => requestPem({ signature: Buffer.concat([Buffer.of(0), bytes(dice, 70)]) }),
    /does not verify/,
  ],
  ["an empty signature", () => requestPem({ signature: Buffer.of(0) }), /does not verify/],
  [
    "a signature without its bits",
    () => requestPem({ signature: Buffer.alloc(0) }),
    /malformed|unused/,
  ],
  [
    "a signature with unused bits",
    (dice) =>
      requestPem({
        signature: Buffer.concat([Buffer.of(1 + below(dice, 7)), bytes(dice, 63), Buffer.of(0)]),
      }),
    /malformed|unused bits/,
  ],
  ["r and s of zero", () => withNumbers(Buffer.of(0), Buffer.of(0)), /does not verify/],
  [
    "a negative r",
    (dice) => withNumbers(Buffer.concat([Buffer.of(0x80), bytes(dice, 31)]), Buffer.of(1)),
    /does not verify/,
  ],
  ["an r without bytes", () => withNumbers(Buffer.alloc(0), Buffer.of(1)), /does not verify/],
  [
    "bytes after s",
    (dice) => withNumbers(Buffer.of(1), Buffer.of(1), bytes(dice, 3)),
    /does not verify/,
  ],
  [
    "an algorithm of RSA on an elliptic key",
    () => requestPem({ algorithm: ALGORITHM.rsaSha256 }),
    /algorithm is not accepted/,
  ],
  [
    "SHA-1",
    () => requestPem({ hash: "sha1", algorithm: Buffer.from("300906072a8648ce3d0401", "hex") }),
    /algorithm is not accepted/,
  ],
  [
    "MD5",
    () =>
      requestPem({
        key: rsa2048,
        hash: "md5",
        algorithm: Buffer.from("300d06092a864886f70d0101040500", "hex"),
      }),
    /algorithm is not accepted/,
  ],
  [
    "RSA without its NULL",
    () => requestPem({ key: rsa2048, algorithm: Buffer.from("300b06092a864886f70d01010b", "hex") }),
    /algorithm is not accepted/,
  ],
  [
    "ECDSA with parameters",
    () => requestPem({ algorithm: Buffer.from("300c06082a8648ce3d0403020500", "hex") }),
    /algorithm is not accepted/,
  ],
  [
    "an algorithm that nobody knows",
    (dice) =>
      requestPem({ algorithm: writeDer(0x30, writeDer(6, Buffer.of(0x2a, 1 + below(dice, 100)))) }),
    /algorithm is not accepted/,
  ],
];

/** An ECDSA signature whose two numbers have these contents. */
function withNumbers(r: Uint8Array, s: Uint8Array, after: Uint8Array = Buffer.alloc(0)): string {
  const pair = writeDer(0x30, writeDer(2, r), writeDer(2, s));
  return requestPem({ signature: Buffer.concat([Buffer.of(0), pair, after]) });
}

function flipped(dice: Dice, parts: RequestParts = {}): string {
  const der = requestDer(parts);
  const place = below(dice, der.length);
  der[place] = (der[place] ?? 0) ^ (1 + below(dice, 255));
  return raw(der);
}

/** Bytes in place of the whole. */
function raw(der: Uint8Array): string {
  return formatPem(REQUEST_LABEL, der);
}
