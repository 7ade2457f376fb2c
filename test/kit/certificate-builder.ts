/** Certificates and revocation lists of any make, good and bad: what nobody but a test should ever sign. */
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CertificateList,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
  RevokedCertificate,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
} from "@peculiar/asn1-x509";
import { formatPem } from "../../src/identity/pem.ts";

export type Usage = keyof typeof KeyUsageFlags;

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface BuiltCertificate extends KeyPair {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keyPem: string;
}

export interface CertificateOptions {
  /** Organization, then common name; absent ones are left out. */
  readonly subject?: { readonly organization?: string; readonly commonName?: string };
  /** Who signs; itself when absent. */
  readonly issuer?: BuiltCertificate;
  readonly keys?: KeyPair;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Hexadecimal, contents of the INTEGER as they shall stand. */
  readonly serialNumber?: string;
  readonly version?: 1 | 3;
  readonly hash?: "sha1" | "sha256" | "sha384";
  readonly authority?: false | { readonly pathLength?: number; readonly critical?: boolean };
  readonly usage?: false | readonly Usage[];
  readonly extendedUsage?: readonly string[];
  readonly keyIdentifiers?: false | "critical";
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Of an authority: below which domains its certificates may be. */
  readonly permittedDomains?: readonly string[];
  /** Object identifiers of critical extensions that nobody knows. */
  readonly unknownCritical?: readonly string[];
}

const HOUR_MS = 3_600_000;
const SIGNATURES: Readonly<Record<string, string>> = {
  "ec sha1": "300906072a8648ce3d0401",
  "ec sha256": "300a06082a8648ce3d040302",
  "ec sha384": "300a06082a8648ce3d040303",
  "rsa sha1": "300d06092a864886f70d0101050500",
  "rsa sha256": "300d06092a864886f70d01010b0500",
  "rsa sha384": "300d06092a864886f70d01010c0500",
};

export function ecKeys(namedCurve = "P-256"): KeyPair {
  return generateKeyPairSync("ec", { namedCurve });
}

export function rsaKeys(modulusLength = 2048): KeyPair {
  return generateKeyPairSync("rsa", { modulusLength });
}

/** An authority unless told otherwise, as the article's openssl commands would make it with every extension it should have. */
export function buildCertificate(options: CertificateOptions = {}): BuiltCertificate {
  const keys = options.keys ?? ecKeys();
  const signer = options.issuer ?? keys;
  const { algorithm, hash } = signatureOf(signer.privateKey, options.hash ?? "sha256");
  const { version = 3, serialNumber = "01", notBefore, notAfter } = options;
  const subject = nameOf(options.subject ?? { organization: "Company Inc.", commonName: "CA" });
  const issuerName =
    options.issuer === undefined
      ? subject
      : AsnConvert.parse(options.issuer.certificate.raw, Certificate).tbsCertificate.subject;
  const body = new TBSCertificate({
    version: version - 1,
    serialNumber: bytes(Buffer.from(serialNumber, "hex")),
    signature: algorithm,
    issuer: issuerName,
    validity: new Validity({
      notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
      notAfter: notAfter ?? new Date(Date.now() + 365 * 24 * HOUR_MS),
    }),
    subject,
    subjectPublicKeyInfo: publicKeyInfo(keys.publicKey),
  });
  if (version === 3) body.extensions = new Extensions(extensionsOf(options, keys, signer));
  const der = AsnConvert.serialize(
    new Certificate({
      tbsCertificate: body,
      signatureAlgorithm: algorithm,
      signatureValue: bytes(sign(hash, Buffer.from(AsnConvert.serialize(body)), signer.privateKey)),
    }),
  );
  const pem = formatPem("CERTIFICATE", new Uint8Array(der));
  return {
    publicKey: keys.publicKey,
    privateKey: keys.privateKey,
    certificate: new X509Certificate(pem),
    pem,
    keyPem: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

export interface RevocationListOptions {
  readonly revoked?: readonly { readonly serialNumber: string }[];
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly hash?: "sha1" | "sha256" | "sha384";
  /** Signed by another than it names. */
  readonly signer?: KeyPair;
  readonly unknownCritical?: readonly string[];
  /** Up to 127. */
  readonly number?: number;
}

/** @returns PEM */
export function buildRevocationList(
  issuer: BuiltCertificate,
  options: RevocationListOptions = {},
): string {
  const signer = options.signer ?? issuer;
  const { algorithm, hash } = signatureOf(signer.privateKey, options.hash ?? "sha256");
  const now = Date.now();
  const body = new TBSCertList({
    version: 1,
    signature: algorithm,
    issuer: AsnConvert.parse(issuer.certificate.raw, Certificate).tbsCertificate.subject,
    thisUpdate: new Time(options.thisUpdate ?? new Date(now - HOUR_MS)),
    nextUpdate: new Time(options.nextUpdate ?? new Date(now + 24 * HOUR_MS)),
  });
  const revoked = (options.revoked ?? []).map(
    ({ serialNumber }) =>
      new RevokedCertificate({
        userCertificate: bytes(integer(serialNumber)),
        revocationDate: new Time(new Date(now - HOUR_MS)),
      }),
  );
  if (revoked.length > 0) body.revokedCertificates = revoked;
  const extensions = [
    ...unknownExtensions(options.unknownCritical),
    ...numberExtensions(options.number),
  ];
  if (extensions.length > 0) body.crlExtensions = extensions;
  const list = new CertificateList({
    tbsCertList: body,
    signatureAlgorithm: algorithm,
    signature: bytes(sign(hash, Buffer.from(AsnConvert.serialize(body)), signer.privateKey)),
  });
  return formatPem("X509 CRL", new Uint8Array(AsnConvert.serialize(list)));
}

function numberExtensions(number: number | undefined): Extension[] {
  if (number === undefined) return [];
  const extnValue = new OctetString(Uint8Array.of(2, 1, number));
  return [new Extension({ extnID: "2.5.29.20", critical: false, extnValue })];
}

function extensionsOf(options: CertificateOptions, keys: KeyPair, signer: KeyPair): Extension[] {
  const {
    authority = {},
    usage = ["digitalSignature", "keyCertSign", "cRLSign"],
    extendedUsage = [],
    uris = [],
    dnsNames = [],
  } = options;
  const list: Extension[] = [];
  if (authority !== false) {
    const { pathLength, critical = true } = authority;
    const value = new BasicConstraints({
      cA: true,
      ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }),
    });
    list.push(extension("2.5.29.19", value, critical));
  }
  if (usage !== false) {
    const flags = usage.reduce((sum, name) => sum | KeyUsageFlags[name], 0);
    list.push(extension("2.5.29.15", new KeyUsage(flags), true));
  }
  if (extendedUsage.length > 0)
    list.push(extension("2.5.29.37", new ExtendedKeyUsage([...extendedUsage]), false));
  if (options.keyIdentifiers !== false) {
    const isCritical = options.keyIdentifiers === "critical";
    list.push(extension("2.5.29.14", new SubjectKeyIdentifier(keyIdentifier(keys)), isCritical));
    const above = new AuthorityKeyIdentifier({
      keyIdentifier: new KeyIdentifier(keyIdentifier(signer)),
    });
    list.push(extension("2.5.29.35", above, isCritical));
  }
  const names = [
    ...uris.map((uri) => new GeneralName({ uniformResourceIdentifier: uri })),
    ...dnsNames.map((name) => new GeneralName({ dNSName: name })),
  ];
  if (names.length > 0) list.push(extension("2.5.29.17", new SubjectAlternativeName(names), true));
  if (options.permittedDomains !== undefined)
    list.push(extension("2.5.29.30", constraints(options.permittedDomains), true));
  return [...list, ...unknownExtensions(options.unknownCritical)];
}

function constraints(permitted: readonly string[]): NameConstraints {
  const subtrees = permitted.map(
    (dNSName) => new GeneralSubtree({ base: new GeneralName({ dNSName }) }),
  );
  return new NameConstraints({ permittedSubtrees: new GeneralSubtrees(subtrees) });
}

function unknownExtensions(names: readonly string[] = []): Extension[] {
  return names.map(
    (extnID) =>
      new Extension({ extnID, critical: true, extnValue: new OctetString(Buffer.of(0x05, 0x00)) }),
  );
}

function extension(extnID: string, value: unknown, critical: boolean): Extension {
  return new Extension({
    extnID,
    critical,
    extnValue: new OctetString(AsnConvert.serialize(value)),
  });
}

function nameOf({ organization, commonName }: NonNullable<CertificateOptions["subject"]>): Name {
  const parts: [type: string, text: string | undefined][] = [
    ["2.5.4.10", organization],
    ["2.5.4.3", commonName],
  ];
  return new Name(
    parts.flatMap(([type, text]) =>
      text === undefined
        ? []
        : [
            new RelativeDistinguishedName([
              new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
            ]),
          ],
    ),
  );
}

function signatureOf(
  key: KeyObject,
  hash: string,
): { hash: string; algorithm: AlgorithmIdentifier } {
  const encoded = SIGNATURES[`${key.asymmetricKeyType} ${hash}`] ?? "";
  return { hash, algorithm: AsnConvert.parse(Buffer.from(encoded, "hex"), AlgorithmIdentifier) };
}

function publicKeyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(key.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo);
}

function keyIdentifier({ publicKey }: KeyPair): Uint8Array {
  const { subjectPublicKey } = publicKeyInfo(publicKey);
  return createHash("sha1").update(new Uint8Array(subjectPublicKey)).digest();
}

/** DER contents of a positive INTEGER from hexadecimal. */
function integer(hex: string): Buffer {
  const value = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), value]) : value;
}

function bytes(value: Uint8Array): ArrayBuffer {
  return new Uint8Array(value).buffer;
}
