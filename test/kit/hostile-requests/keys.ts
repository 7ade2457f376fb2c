/** Keys that no mesh uses, and bytes that are no keys. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeDer } from "../../../src/identity/write-der.ts";
import type { Dice } from "../dice.ts";
import {
  ALGORITHM,
  ellipticKeyInfo,
  p256,
  publicKeyInfo,
  requestPem,
  rsaKeyInfo,
} from "../request-parts.ts";
import { below, bytes, type HostileKind } from "./hostile-kind.ts";

const cannotSign = { signature: Buffer.concat([Buffer.of(0), Buffer.alloc(64, 1)]) };
const MODULUS_BYTES = 256;
const elliptic = (namedCurve: string): KeyObject =>
  generateKeyPairSync("ec", { namedCurve }).privateKey;
const otherCurves = ["P-521", "secp256k1", "secp224r1", "brainpoolP256r1"].map(elliptic);
const edwards = [
  generateKeyPairSync("ed25519").privateKey,
  generateKeyPairSync("ed448").privateKey,
  generateKeyPairSync("x25519").privateKey,
];
const smallRsa = [1024, 1536, 2040].map(
  (modulusLength) => generateKeyPairSync("rsa", { modulusLength }).privateKey,
);
const explicitCurve = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  paramEncoding: "explicit",
}).privateKey;

export const KEY_KINDS: readonly HostileKind[] = [
  [
    "another curve",
    (dice) => requestPem({ key: dice.pick(otherCurves) }),
    /use P-256, P-384 or RSA/,
  ],
  ["a curve by its parameters", () => requestPem({ key: explicitCurve }), /use P-256/],
  [
    "an Edwards or Montgomery key",
    (dice) => requestPem({ publicKeyInfo: publicKeyInfo(dice.pick(edwards)), ...cannotSign }),
    /use P-256/,
  ],
  [
    "a small RSA key",
    (dice) => requestPem({ key: dice.pick(smallRsa), algorithm: ALGORITHM.rsaSha256 }),
    /has \d+ bits/,
  ],
  [
    "a huge RSA key",
    (dice) => withRsa(modulus(dice, 1025 + below(dice, 1024)), Buffer.of(1, 0, 1)),
    /has \d+ bits/,
  ],
  [
    "an RSA exponent of one or three",
    (dice) => withRsa(modulus(dice, MODULUS_BYTES), Buffer.of(dice.pick([1, 3, 17]))),
    /exponent/,
  ],
  [
    "an even RSA exponent",
    (dice) => withRsa(modulus(dice, MODULUS_BYTES), Buffer.of(1, 0, 2 * below(dice, 64))),
    /exponent/,
  ],
  [
    "a huge RSA exponent",
    (dice) => withRsa(modulus(dice, MODULUS_BYTES), modulus(dice, 5 + below(dice, 200))),
    /exponent/,
  ],
  [
    "an RSA exponent of zero",
    (dice) => withRsa(modulus(dice, MODULUS_BYTES), Buffer.of(0)),
    /exponent/,
  ],
  [
    "an even RSA modulus",
    (dice) =>
      withRsa(
        Buffer.concat([modulus(dice, 255), Buffer.of(2 * below(dice, 128))]),
        Buffer.of(1, 0, 1),
      ),
    /even/,
  ],
  ["an RSA modulus of zero", () => withRsa(Buffer.of(0), Buffer.of(1, 0, 1)), /0 bits/],
  [
    "a negative RSA modulus",
    (dice) => withRsa(modulus(dice, MODULUS_BYTES).subarray(1), Buffer.of(1, 0, 1)),
    /negative/,
  ],
  [
    "a padded RSA modulus",
    (dice) =>
      withRsa(Buffer.concat([Buffer.alloc(2), modulus(dice, MODULUS_BYTES)]), Buffer.of(1, 0, 1)),
    /shortest form/,
  ],
  [
    "an RSA modulus without bytes",
    () => withRsa(Buffer.alloc(0), Buffer.of(1, 0, 1)),
    /shortest form/,
  ],
  [
    "a point off the curve",
    (dice) => withPoint(Buffer.concat([Buffer.of(4), bytes(dice, 64)])),
    /not a point on the curve/,
  ],
  ["the point at infinity", () => withPoint(Buffer.of(0)), /uncompressed/],
  [
    "a compressed point",
    () => withPoint(Buffer.concat([Buffer.of(2), point().subarray(1, 33)])),
    /uncompressed/,
  ],
  [
    "a hybrid point",
    () => withPoint(Buffer.concat([Buffer.of(6), point().subarray(1)])),
    /uncompressed/,
  ],
  [
    "a point of another length",
    (dice) => withPoint(point().subarray(0, 2 + below(dice, 60))),
    /uncompressed/,
  ],
  [
    "a coordinate beyond the field",
    () => withPoint(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)])),
    /not a point on the curve/,
  ],
  [
    "a key with a third field",
    () =>
      requestPem({
        publicKeyInfo: writeDer(0x30, publicKeyInfo(p256).subarray(2), Buffer.of(5, 0)),
      }),
    /too many fields/,
  ],
];

/** Odd, of full length. */
function modulus(dice: Dice, count: number): Buffer {
  const number = bytes(dice, count);
  number[0] = (number[0] ?? 0) | 0x80;
  number[count - 1] = (number[count - 1] ?? 0) | 1;
  return Buffer.concat([Buffer.of(0), number]);
}

function point(): Buffer {
  return publicKeyInfo(p256).subarray(-65);
}

function withPoint(contents: Uint8Array): string {
  return requestPem({ publicKeyInfo: ellipticKeyInfo(contents), ...cannotSign });
}

function withRsa(modulusContents: Uint8Array, exponent: Uint8Array): string {
  const publicKeyInfo = rsaKeyInfo(modulusContents, exponent);
  return requestPem({ publicKeyInfo, algorithm: ALGORITHM.rsaSha256, ...cannotSign });
}
