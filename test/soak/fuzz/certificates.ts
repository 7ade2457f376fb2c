/** Workloads' certificates, changed, and signed again by their authority: what a peer with a careless authority could send. */
import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, SubjectAlternativeName } from "@peculiar/asn1-x509";
import { CertificateAuthority } from "../../../src/ca/certificate-authority.ts";
import { createSelfSignedAuthority } from "../../../src/ca/self-signed-authority.ts";
import {
  createCertificateRequest,
  parseCertificateRequest,
} from "../../../src/identity/certificate-request.ts";
import { spiffeIdOfCertificate } from "../../../src/identity/peer-certificate.ts";
import { formatPem } from "../../../src/identity/pem.ts";
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import { verifyChain } from "../../../src/identity/verify-chain.ts";
import { describeError } from "../../../src/runtime/hauberk-error.ts";
import { mutate, parseTree, writeTree } from "../../kit/der-mutations.ts";
import type { Dice } from "../../kit/dice.ts";
import { openssl } from "../../kit/openssl.ts";
import { type FuzzSubject, type Mutant, type Reading, reading } from "./fuzz-subject.ts";

const SHARE_SIGNED_AGAIN = 0.95;
const SHARE_UNCHANGED = 0.02;
const ALTERNATIVE_NAME = "2.5.29.17";
const LIFETIME_MS = 86_400_000;
const URI = /URI:(\S+?)(?:,|$)/gm;

export function certificateSubject(): FuzzSubject {
  const now = new Date();
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority({
    trustDomain: "cluster.local",
    now,
  });
  const root = new X509Certificate(certificatePem);
  const privateKey = createPrivateKey(privateKeyPem);
  const authority = new CertificateAuthority({
    certificatePem,
    privateKey,
    rootsPem: [certificatePem],
  });
  const { publicKey } = parseCertificateRequest(createCertificateRequest().csrPem);
  const id = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
  const issued = authority.issue({ publicKey, id, lifetimeMs: LIFETIME_MS, now });
  const base = new X509Certificate(issued.certificatePem).raw;
  const folder = mkdtempSync(join(tmpdir(), "hauberk-fuzz-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const rootFile = join(folder, "root.pem");
  writeFileSync(rootFile, certificatePem);
  return {
    name: "certificate",
    mutant: (dice) => ({ der: change(base, { privateKey, dice }) }),
    readOurs: ({ der }) => reading(() => readOurs(der, { root, now }), describeError),
    readTyped: ({ der }) => reading(() => readTyped(der), String),
    readOpenssl: (mutant) => readOpenssl(mutant, rootFile),
  };
}

function change(
  base: Buffer,
  { privateKey, dice }: { readonly privateKey: Parameters<typeof sign>[2]; readonly dice: Dice },
): Buffer {
  const tree = parseTree(base);
  if (dice.chance(SHARE_UNCHANGED)) return writeTree(tree);
  const [body, , signature] = tree.children ?? [];
  if (body === undefined || signature === undefined) throw new RangeError("no certificate");
  const isSignedAgain = dice.chance(SHARE_SIGNED_AGAIN);
  mutate(isSignedAgain ? body : tree, dice);
  if (isSignedAgain) {
    signature.contents = Buffer.concat([Buffer.of(0), sign("sha256", writeTree(body), privateKey)]);
    signature.children = undefined;
  }
  return writeTree(tree);
}

/** As a peer's certificate is read outside a handshake: chain, key, identity. */
function readOurs(
  der: Buffer,
  { root, now }: { readonly root: X509Certificate; readonly now: Date },
): string {
  const certificate = new X509Certificate(formatPem("CERTIFICATE", der));
  verifyChain([certificate], { roots: [root], now });
  if (certificate.publicKey.asymmetricKeyType === undefined) throw new Error("it has no key");
  return spiffeIdOfCertificate(certificate);
}

function readTyped(der: Buffer): string {
  const { extensions } = AsnConvert.parse(der, Certificate).tbsCertificate;
  const names = [...(extensions ?? [])]
    .filter(({ extnID }) => extnID === ALTERNATIVE_NAME)
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue, SubjectAlternativeName)]);
  return names.flatMap(({ uniformResourceIdentifier: uri }) => uri ?? []).join(" ");
}

async function readOpenssl({ der }: Mutant, rootFile: string): Promise<Reading> {
  const print = ["x509", "-inform", "DER", "-noout", "-ext", "subjectAltName"];
  const printed = await openssl(print, der);
  if (printed.code !== 0) return { refused: printed.text };
  const pem = formatPem("CERTIFICATE", der);
  const verified = await openssl(["verify", "-CAfile", rootFile], pem);
  if (verified.code !== 0) return { refused: verified.text };
  return { accepted: [...printed.text.matchAll(URI)].map(([, uri]) => uri).join(" ") };
}
