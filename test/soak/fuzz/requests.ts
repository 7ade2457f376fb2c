/** Certificate requests as ztunnel, pilot-agent and OpenSSL make them, changed, and signed again by their key. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { CertificationRequest } from "@peculiar/asn1-csr";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Extensions, SubjectAlternativeName } from "@peculiar/asn1-x509";
import {
  InvalidCertificateRequestError,
  parseCertificateRequest,
} from "../../../src/identity/certificate-request.ts";
import { formatPem } from "../../../src/identity/pem.ts";
import { publicKeyInfoOf } from "../../../src/identity/public-key.ts";
import { writeDer } from "../../../src/identity/write-der.ts";
import { describeError } from "../../../src/runtime/hauberk-error.ts";
import { mutate, parseTree, writeTree } from "../../kit/der-mutations.ts";
import type { Dice } from "../../kit/dice.ts";
import { openssl } from "../../kit/openssl.ts";
import {
  ALGORITHM,
  alternativeNames,
  commonName,
  extensionRequest,
  REQUEST_LABEL,
  type RequestParts,
  requestDer,
  uriName,
} from "../../kit/request-parts.ts";
import { type FuzzSubject, type Mutant, type Reading, reading } from "./fuzz-subject.ts";

const SHARE_SIGNED_AGAIN = 0.95;
const SHARE_UNCHANGED = 0.02;
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const ALTERNATIVE_NAME = "2.5.29.17";
const VERIFIED = /self-signature verify OK|^verify OK/m;

type Base = RequestParts & { readonly key: KeyObject };

const attributes = writeDer(
  0xa0,
  writeDer(
    0x30,
    Buffer.from("06092a864886f70d010907", "hex"),
    writeDer(0x31, writeDer(0x0c, Buffer.from("secret"))),
  ),
  extensionRequest(
    writeDer(0x30, Buffer.from("0603551d0f", "hex"), writeDer(4, Buffer.from("030205a0", "hex"))),
    alternativeNames(
      uriName("spiffe://cluster.local/ns/shop/sa/cart"),
      writeDer(0x82, Buffer.from("cart.shop.svc")),
      writeDer(0x87, Buffer.of(10, 0, 0, 1)),
    ),
  ),
);

function bases(): readonly Base[] {
  const elliptic = (namedCurve: string): KeyObject =>
    generateKeyPairSync("ec", { namedCurve }).privateKey;
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return [
    { key: elliptic("P-256"), attributes },
    { key: elliptic("P-256"), subject: commonName(0x0c, Buffer.from("cart")), attributes },
    {
      key: elliptic("P-384"),
      hash: "sha384",
      algorithm: Buffer.from("300a06082a8648ce3d040303", "hex"),
      attributes,
    },
    {
      key: rsa,
      algorithm: ALGORITHM.rsaSha256,
      subject: commonName(0x13, Buffer.from("cart")),
      attributes,
    },
  ];
}

export function requestSubject(): FuzzSubject {
  const all = bases();
  return {
    name: "certificate request",
    mutant: (dice) => ({ der: change(dice.pick(all), dice) }),
    readOurs: ({ der }) => reading(() => readOurs(der), reasonOf),
    readTyped: ({ der }) => reading(() => readTyped(der), String),
    readOpenssl,
  };
}

function change(base: Base, dice: Dice): Buffer {
  const tree = parseTree(requestDer(base));
  if (dice.chance(SHARE_UNCHANGED)) return writeTree(tree);
  const [info, , signature] = tree.children ?? [];
  if (info === undefined || signature === undefined) throw new RangeError("no request");
  const isSignedAgain = dice.chance(SHARE_SIGNED_AGAIN);
  mutate(isSignedAgain ? info : tree, dice);
  if (isSignedAgain) {
    const proof = sign(base.hash ?? "sha256", writeTree(info), base.key);
    signature.contents = Buffer.concat([Buffer.of(0), proof]);
    signature.children = undefined;
  }
  return writeTree(tree);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof InvalidCertificateRequestError)) throw error;
  return describeError(error);
}

function readOurs(der: Buffer): string {
  const { publicKey, requestedNames } = parseCertificateRequest(formatPem(REQUEST_LABEL, der));
  const uris = requestedNames.filter(({ kind }) => kind === "uri").map(({ value }) => value);
  return told(publicKeyInfoOf(publicKey), uris);
}

function readTyped(der: Buffer): string {
  const request = AsnConvert.parse(der, CertificationRequest);
  const { subjectPKInfo, attributes } = request.certificationRequestInfo;
  const uris = [...attributes]
    .filter(({ type }) => type === EXTENSION_REQUEST)
    .flatMap(({ values }) => values.flatMap((value) => [...AsnConvert.parse(value, Extensions)]))
    .filter(({ extnID }) => extnID === ALTERNATIVE_NAME)
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue, SubjectAlternativeName)])
    .flatMap(({ uniformResourceIdentifier: uri }) => (uri === undefined ? [] : [uri]));
  return told(Buffer.from(AsnConvert.serialize(subjectPKInfo)), uris);
}

/** OpenSSL prints the key, and the names in a form that cannot be read back: those it reads like the typed library. */
async function readOpenssl(mutant: Mutant): Promise<Reading> {
  const parameters = ["req", "-inform", "DER", "-noout", "-verify", "-pubkey"];
  const { code, text } = await openssl(parameters, mutant.der);
  if (code !== 0 || !VERIFIED.test(text)) return { refused: text };
  const pem = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/.exec(text)?.[0];
  if (pem === undefined) return { refused: "it prints no key" };
  const key = createPublicKey(pem).export({ type: "spki", format: "der" });
  const typed = reading(() => readTyped(mutant.der), String);
  const uris =
    "accepted" in typed ? typed.accepted.split(" ").slice(1).map(decodeURIComponent) : [];
  return { accepted: told(key, uris) };
}

function told(publicKeyInfo: Buffer, uris: readonly string[]): string {
  const key = createHash("sha256").update(publicKeyInfo).digest("hex").slice(0, 16);
  return [key, ...uris.map((uri) => encodeURIComponent(uri))].join(" ");
}
