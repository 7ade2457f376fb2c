/** One authority that the ring holds: checked (CA-45), ready to sign, and able to tell of itself. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isRevoked } from "../identity/certificate-revocation.ts";
import { parseRevocationList } from "../identity/certificate-revocation-list.ts";
import { formatPem, readPem } from "../identity/pem.ts";
import { issuerKeyIdentifier } from "../identity/sign-certificate.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { endOfChain, findChain } from "./authority-chain.ts";
import type { HeldEntry } from "./authority-ledger.ts";
import { findWeaknesses } from "./authority-weaknesses.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { MAX_FILE_BYTES } from "./key-directory.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";
import type { AuthorityStatus, RotationRefusal } from "./rotation.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384" };

/** The authority must not be used: expired, not a CA, or its parts do not match one another. */
export class AuthorityRefusedError extends HauberkError {
  readonly code = "HAUBERK_AUTHORITY_REFUSED";
}

export interface HeldAuthority {
  readonly id: string;
  readonly signer: CertificateAuthority;
  /** The parts in canonical PEM; `intermediatesPem` are those that peers are sent, in order. */
  readonly material: PluggedAuthority;
  /** The signing certificate first, the root last. */
  readonly chain: readonly X509Certificate[];
  /** Lower-case hexadecimal. */
  readonly keyIdentifier: string;
  readonly weaknesses: readonly string[];
  /** What its own lists say against it, or those above it, in words: peers refuse what it signs (CA-50). */
  readonly revoked: string | undefined;
}

/**
 * @throws AuthorityRefusedError when it is not a CA, the key is another's, or no root of its bundle is reached; one that
 *   has expired is held, and `usageProblem` tells
 */
export function holdAuthority(brought: PluggedAuthority): HeldAuthority {
  try {
    return hold(brought);
  } catch (cause) {
    if (cause instanceof AuthorityRefusedError) throw cause;
    throw new AuthorityRefusedError("the authority's parts cannot be used", { cause });
  }
}

/** A new self-signed one. */
export function makeAuthority(
  options: Parameters<typeof createSelfSignedAuthority>[0],
): HeldAuthority {
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority(options);
  return holdAuthority({
    certificatePem,
    privateKey: createPrivateKey(privateKeyPem),
    intermediatesPem: [],
    rootsPem: [certificatePem],
    crlsPem: [],
  });
}

/** @throws AuthorityRefusedError when it could not sign now */
export function usable(held: HeldAuthority, now: Date): HeldAuthority {
  const problem = usageProblem(held, now);
  if (problem === undefined) return held;
  throw new AuthorityRefusedError(`authority ${held.id} cannot sign: ${problem}`);
}

/**
 * @param purpose "update": it is held already, so that its own revocation is to be known, and no reason to refuse it
 * @returns the refusal when it must not be held, or could not sign now
 */
export function tryToHold(
  authority: PluggedAuthority,
  { now, purpose }: { readonly now: Date; readonly purpose: "sign" | "update" },
): HeldAuthority | RotationRefusal {
  try {
    const held = holdAuthority(authority);
    return purpose === "update" && !hasExpired(held, now) ? held : usable(held, now);
  } catch (error) {
    if (error instanceof AuthorityRefusedError) return { refused: describeError(error) };
    throw error;
  }
}

/** Why nothing that it signs would be trusted now, in words; undefined when all is well. */
export function usageProblem({ chain, revoked }: HeldAuthority, now: Date): string | undefined {
  const { at, of } = endOfChain(chain);
  const whose = of === chain[0] ? "it" : `${nameOf(of?.subject)}, above it in its chain,`;
  if (now >= at) return `${whose} expired at ${at.toISOString()}`;
  const early = chain.find(({ validFrom }) => now < new Date(validFrom));
  if (early !== undefined)
    return `${nameOf(early.subject)} is valid only from ${isoOf(early.validFrom)}`;
  return revoked;
}

export function hasExpired({ chain }: HeldAuthority, now: Date): boolean {
  return now >= endOfChain(chain).at;
}

/** The `O` of its subject: for those that a mesh makes for itself, its trust domain (CA-20). */
export function organizationOf({ signer }: HeldAuthority): string | undefined {
  return /^O=(.+)$/m.exec(signer.certificate.subject)?.[1];
}

/** Whether it, or an authority above it, is valid only from later on. */
export function isYetToCome({ chain }: HeldAuthority, now: Date): boolean {
  return chain.some(({ validFrom }) => now < new Date(validFrom));
}

/** @param returned as `AuthorityStatus` has it */
export function statusOf(
  held: HeldAuthority,
  entry: HeldEntry,
  returned?: string | undefined,
): AuthorityStatus {
  const { certificate } = held.signer;
  return {
    ...entry,
    keyIdentifier: held.keyIdentifier,
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    keyAlgorithm: algorithmOf(certificate.publicKey),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    chainNotAfter: endOfChain(held.chain).at,
    weaknesses: held.weaknesses,
    ...(held.revoked !== undefined && { revoked: held.revoked }),
    ...(returned !== undefined && { returned }),
  };
}

function hold(brought: PluggedAuthority): HeldAuthority {
  const certificate = new X509Certificate(brought.certificatePem);
  const chain = chainOf(certificate, brought);
  const material = {
    certificatePem: certificate.toString(),
    privateKey: brought.privateKey,
    intermediatesPem: chain.slice(0, -1).map(String),
    rootsPem: distinctPem(brought.rootsPem),
    crlsPem: brought.crlsPem.flatMap(canonicalLists),
  };
  for (const texts of [material.intermediatesPem, material.rootsPem, material.crlsPem])
    refuseLongFile(texts);
  const signer = new CertificateAuthority(material);
  return {
    id: signer.id,
    signer,
    material,
    chain,
    keyIdentifier: Buffer.from(issuerKeyIdentifier(certificate)).toString("hex"),
    weaknesses: findWeaknesses(chain),
    revoked: ownRevocation(chain, material.crlsPem),
  };
}

function ownRevocation(
  chain: readonly X509Certificate[],
  crlsPem: readonly string[],
): string | undefined {
  const lists = crlsPem.map(parseRevocationList);
  const revoked = chain.findIndex(
    (certificate, index) => chain[index + 1] && isRevoked(certificate, lists, chain[index + 1]),
  );
  if (revoked < 0) return undefined;
  return `${nameOf(chain[revoked]?.subject)} is revoked by ${nameOf(chain[revoked + 1]?.subject)}`;
}

function chainOf(
  certificate: X509Certificate,
  { intermediatesPem, rootsPem }: PluggedAuthority,
): readonly X509Certificate[] {
  if (!certificate.ca)
    throw new AuthorityRefusedError(`${nameOf(certificate.subject)} is not a CA's certificate`);
  const [intermediates, roots] = [intermediatesPem, rootsPem].map((list) =>
    list.map((pem) => new X509Certificate(pem)),
  );
  const chain = findChain(certificate, { intermediates: intermediates ?? [], roots: roots ?? [] });
  if (chain !== undefined) return chain;
  throw new AuthorityRefusedError(
    `${nameOf(certificate.subject)} is not signed by any self-signed root of its bundle, nor are those above it`,
  );
}

/** Each certificate once, as OpenSSL prints it. */
function distinctPem(list: readonly string[]): readonly string[] {
  return [...new Set(list.map((pem) => new X509Certificate(pem).toString()))];
}

function canonicalLists(pem: string): readonly string[] {
  const labels = ["X509 CRL"];
  return readPem(pem, { labels, maxCharacters: MAX_FILE_BYTES }).map((der) =>
    formatPem("X509 CRL", der),
  );
}

/** What is too long to be read back must not be written. */
function refuseLongFile(texts: readonly string[]): void {
  if (texts.join("").length > MAX_FILE_BYTES)
    throw new AuthorityRefusedError(`its files are longer than ${MAX_FILE_BYTES} bytes`);
}

function algorithmOf(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") return `RSA ${modulusLength}`;
  if (namedCurve !== undefined) return `ECDSA ${CURVES[namedCurve] ?? namedCurve}`;
  return key.asymmetricKeyType ?? "unknown";
}

/** `CN=Root, O=Example`: Node puts each part on a line. */
function nameOf(name: string | undefined): string {
  return name === undefined || name === "" ? "(no name)" : name.replaceAll("\n", ", ");
}

function isoOf(time: string): string {
  return new Date(time).toISOString();
}
