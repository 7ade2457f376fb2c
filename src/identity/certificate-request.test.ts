import assert from "node:assert/strict";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { test } from "node:test";
import { CertificationRequest } from "@peculiar/asn1-csr";
import { AsnConvert } from "@peculiar/asn1-schema";
import fc from "fast-check";
import { commonName, requestPem } from "../../test/kit/request-parts.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import {
  createCertificateRequest,
  InvalidCertificateRequestError,
  parseCertificateRequest,
} from "./certificate-request.ts";
import { formatPem, readPem } from "./pem.ts";

const LABEL = "CERTIFICATE REQUEST";
const ECDSA_SHA256 = "300a06082a8648ce3d040302";
const RSA_SHA256 = "300d06092a864886f70d01010b0500";

/** An element from its parts, so that a test can write what our own writer never would. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), contents]);
}

interface Parts {
  readonly privateKey: KeyObject;
  readonly hash?: string;
  readonly algorithm: string;
  readonly version?: number;
  readonly attributes?: Buffer;
  readonly publicKeyInfo?: Buffer;
}

function requestDer(parts: Parts): Buffer {
  const spki = createPublicKey(parts.privateKey).export({ type: "spki", format: "der" });
  const info = element(
    0x30,
    element(0x02, Buffer.of(parts.version ?? 0)),
    element(0x30),
    parts.publicKeyInfo ?? spki,
    parts.attributes ?? element(0xa0),
  );
  const signature = sign(parts.hash ?? "sha256", info, parts.privateKey);
  const algorithm = Buffer.from(parts.algorithm, "hex");
  return element(0x30, info, algorithm, element(0x03, Buffer.of(0), signature));
}

const pemOf = (parts: Parts): string => formatPem(LABEL, requestDer(parts));
const ec = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).privateKey;
const rsa = (modulusLength: number, publicExponent = 0x10001): KeyObject =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent }).privateKey;

const p256 = ec("P-256");
const rsa2048 = rsa(2048);
const good: Parts = { privateKey: p256, algorithm: ECDSA_SHA256 };

test("our own request is read back: the key, and the names it asks for", () => {
  const uris = ["spiffe://cluster.local/ns/shop/sa/cart", "https://example.org/"];
  const { csrPem, privateKeyPem } = createCertificateRequest({ uris });
  const { publicKey, keyType, requestedNames } = parseCertificateRequest(csrPem);
  assert.ok(publicKey.equals(createPublicKey(createPrivateKey(privateKeyPem))));
  assert.equal(keyType, "P-256");
  assert.deepEqual(
    requestedNames,
    uris.map((value) => ({ kind: "uri", value })),
  );
});

test("our own request is read alike by another implementation", () => {
  const [der] = readPem(createCertificateRequest().csrPem, {
    labels: [LABEL],
    maxCharacters: 9_999,
  });
  assert.ok(der !== undefined);
  const { certificationRequestInfo } = AsnConvert.parse(der, CertificationRequest);
  assert.equal(certificationRequestInfo.version, 0);
  assert.equal(certificationRequestInfo.subject.length, 0);
});

const accepted: [what: string, parts: Parts, keyType: string][] = [
  ["P-256", good, "P-256"],
  [
    "P-256 with SHA-512",
    { ...good, hash: "sha512", algorithm: "300a06082a8648ce3d040304" },
    "P-256",
  ],
  [
    "P-384",
    { privateKey: ec("P-384"), hash: "sha384", algorithm: "300a06082a8648ce3d040303" },
    "P-384",
  ],
  ["RSA 2048", { privateKey: rsa2048, algorithm: RSA_SHA256 }, "RSA"],
];
for (const [what, parts, keyType] of accepted) {
  test(`accepts ${what}`, () => {
    assert.equal(parseCertificateRequest(pemOf(parts)).keyType, keyType);
  });
}

const named = (name: Buffer): boolean =>
  parseCertificateRequest(requestPem({ subject: name })).hasCommonName;

test("CA-8: whether a request has a common name is read, of whatever kind of text", () => {
  assert.equal(named(element(0x30)), false);
  for (const tag of [0x0c, 0x13, 0x16]) {
    assert.equal(named(commonName(tag, Buffer.from("cart"))), true);
    assert.equal(named(commonName(tag, Buffer.alloc(0))), false);
  }
  const organization = Buffer.from("300e310c300a060355040a0c0378797a", "hex");
  assert.equal(named(organization), false);
});

const attribute = element(
  0x30,
  element(0x06, Buffer.from("2a864886f70d01090e", "hex")),
  element(0x31, element(0x30)),
);
const explicitCurve = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  paramEncoding: "explicit",
}).privateKey;

const refused: [what: string, pem: () => string, problem: RegExp][] = [
  ["QK-33: RSA 1024", () => pemOf({ privateKey: rsa(1024), algorithm: RSA_SHA256 }), /1024 bits/],
  [
    "RSA with exponent 3",
    () => pemOf({ privateKey: rsa(2048, 3), algorithm: RSA_SHA256 }),
    /expon/,
  ],
  [
    "QK-33: MD5",
    () => pemOf({ privateKey: rsa2048, hash: "md5", algorithm: "300d06092a864886f70d0101040500" }),
    /algorithm is not accepted/,
  ],
  [
    "QK-33: SHA-1 with RSA",
    () => pemOf({ privateKey: rsa2048, hash: "sha1", algorithm: "300d06092a864886f70d0101050500" }),
    /algorithm is not accepted/,
  ],
  [
    "SHA-1 with ECDSA",
    () => pemOf({ ...good, hash: "sha1", algorithm: "300906072a8648ce3d0401" }),
    /algorithm is not accepted/,
  ],
  ["P-521", () => pemOf({ privateKey: ec("P-521"), algorithm: ECDSA_SHA256 }), /kind/],
  ["secp256k1", () => pemOf({ privateKey: ec("secp256k1"), algorithm: ECDSA_SHA256 }), /kind/],
  ["an explicit curve", () => pemOf({ ...good, privateKey: explicitCurve }), /kind/],
  [
    "the signature of another key",
    () =>
      pemOf({
        ...good,
        publicKeyInfo: createPublicKey(ec("P-256")).export({ type: "spki", format: "der" }),
      }),
    /does not verify/,
  ],
  ["an RSA algorithm on an EC key", () => pemOf({ ...good, algorithm: RSA_SHA256 }), /algorithm/],
  ["another version", () => pemOf({ ...good, version: 2 }), /version/],
  [
    "extensions asked for twice",
    () => pemOf({ ...good, attributes: element(0xa0, attribute, attribute) }),
    /twice/,
  ],
  [
    "trailing bytes",
    () => formatPem(LABEL, Buffer.concat([requestDer(good), Buffer.of(0)])),
    /trailing/,
  ],
  ["a cut end", () => formatPem(LABEL, requestDer(good).subarray(0, -1)), /cut short/],
  [
    "a point off the curve",
    () => {
      const spki = createPublicKey(p256).export({ type: "spki", format: "der" });
      spki.fill(1, spki.length - 32);
      return pemOf({ ...good, publicKeyInfo: spki });
    },
    /refused/,
  ],
  ["a huge text", () => `${pemOf(good)}${" ".repeat(16_384)}`, /longer than/],
  ["two requests", () => pemOf(good).repeat(2), /more than one/],
  ["a certificate", () => formatPem("CERTIFICATE", requestDer(good)), /expected CERTIFICATE REQ/],
  ["text around it", () => `hello\n${pemOf(good)}`, /not PEM/],
  ["nothing", () => "", /there is no/],
];
for (const [what, pem, problem] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => parseCertificateRequest(pem()),
      (error) => {
        assert.ok(error instanceof InvalidCertificateRequestError);
        assert.match(describeError(error), problem);
        return true;
      },
    );
  });
}

test("refuses Ed25519, whose signature our table does not know", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const pem = pemOf({ ...good, publicKeyInfo: spki });
  assert.throws(() => parseCertificateRequest(pem), /refused/);
});

test("one changed byte anywhere is refused, never anything but a coded error", () => {
  const der = requestDer(good);
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
      const broken = Buffer.from(der);
      broken[index] = (broken[index] ?? 0) ^ change;
      assert.throws(
        () => parseCertificateRequest(formatPem(LABEL, broken)),
        InvalidCertificateRequestError,
      );
    }),
    { numRuns: 300 },
  );
});

test("any text is refused with a coded error", () => {
  const block = fc
    .base64String()
    .map((text) => `-----BEGIN ${LABEL}-----\n${text}\n-----END ${LABEL}-----\n`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), block), (text) => {
      assert.throws(() => parseCertificateRequest(text), InvalidCertificateRequestError);
    }),
  );
});
