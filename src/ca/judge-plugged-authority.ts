/** What is wrong with an authority that somebody brings: every reason, with the file it stands in (CA-45). Pure. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { certificateProfile } from "../identity/certificate-profile.ts";
import { keyTypeOf, NOT_ISSUED_BY, signatureProblem } from "../identity/certificate-signature.ts";
import { nameText } from "../identity/name-text.ts";
import { issuerOf } from "../identity/sign-certificate.ts";
import { signerProblems } from "../identity/signer-rules.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { findChain } from "./authority-chain.ts";
import type { BroughtCertificate } from "./brought-certificate.ts";

const MAX_CHAIN = 10;
/** The first with extensions, without which nothing says that it is a CA's. */
const X509_VERSION = 3;

export interface BroughtAuthority {
  readonly signing: BroughtCertificate;
  /** Not necessarily in order, and perhaps with the root among them, as the article makes it. */
  readonly between: readonly BroughtCertificate[];
  readonly roots: readonly BroughtCertificate[];
  /** Undefined when it could not be read, which is told elsewhere. */
  readonly privateKey: KeyObject | undefined;
  readonly keyFile: string;
}

export interface JudgedAuthority {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** The signing certificate first, the root last; as far as it could be followed where there are problems. */
  readonly chain: readonly BroughtCertificate[];
}

export function judgeAuthority(brought: BroughtAuthority, now: Date): JudgedAuthority {
  const problems: string[] = [];
  const tell = (place: string, judge: () => readonly string[]): void => {
    try {
      problems.push(...judge().map((problem) => `${place} ${problem}`));
    } catch (error) {
      problems.push(`${place} cannot be read as a certificate: ${describeError(error)}`);
    }
  };
  const { signing } = brought;
  let chain: readonly BroughtCertificate[] = [signing];
  tell(signing.place, () => {
    const followed = followChain(brought);
    chain = followed.chain;
    return followed.problem === undefined ? [] : [followed.problem];
  });
  chain.forEach(({ certificate, place }, index) => {
    tell(place, () => [
      ...(versionProblems(certificate) ?? signerProblems(certificate, { authoritiesBelow: index })),
      ...validityProblems(certificate, now),
      ...keyProblems(certificate),
    ]);
  });
  problems.push(...ownKeyProblems(brought));
  return { problems, notes: rootNotes(brought.roots, { chain, now }), chain };
}

/** The chain by every rule, where there is one; else the way that the signatures lead, and where it ends. */
function followChain({ signing, between, roots }: BroughtAuthority): {
  readonly chain: readonly BroughtCertificate[];
  readonly problem?: string;
} {
  const all = [signing, ...roots, ...between];
  const found = findChain(signing.certificate, {
    intermediates: between.map(({ certificate }) => certificate),
    roots: roots.map(({ certificate }) => certificate),
  });
  if (found !== undefined) {
    const chain = found.flatMap(
      (one) => all.find(({ certificate }) => isSame(certificate, one)) ?? [],
    );
    const weak = chain.findIndex((one, index) => brokenLink(one, chain[index + 1]) !== undefined);
    if (weak < 0) return { chain };
    const where = weak === 0 ? "" : `leads to no root: ${chain[weak]?.place} `;
    return { chain, problem: `${where}${linkProblem(chain[weak], chain[weak + 1])}` };
  }
  const chain = [signing];
  for (let last = signing; chain.length <= MAX_CHAIN; ) {
    const isRoot = roots.some(({ certificate }) => isSame(certificate, last.certificate));
    if (isRoot && isSelfSigned(last.certificate)) return { chain };
    const above = all.find((one) => !chain.includes(one) && brokenLink(last, one) === undefined);
    if (above === undefined)
      return { chain, problem: endProblem(last, { all, isRoot, isFirst: last === signing }) };
    chain.push(above);
    last = above;
  }
  return { chain, problem: `leads to no root within ${MAX_CHAIN} certificates` };
}

/** Undefined above the last of the chain, whose own signature nobody verifies. */
function brokenLink(
  below: BroughtCertificate,
  above: BroughtCertificate | undefined,
): string | undefined {
  return above && signatureProblem(below.certificate, above.certificate);
}

function linkProblem(
  below: BroughtCertificate | undefined,
  above: BroughtCertificate | undefined,
): string {
  return below && above ? `${brokenLink(below, above)} ${above.place}` : "leads to no root";
}

function endProblem(
  last: BroughtCertificate,
  {
    all,
    isRoot,
    isFirst,
  }: {
    readonly all: readonly BroughtCertificate[];
    readonly isRoot: boolean;
    readonly isFirst: boolean;
  },
): string {
  if (isRoot) return `leads to ${last.place}, which is not self-signed: peers trust no other root`;
  const where = isFirst ? "" : `leads to no root: ${last.place} `;
  const ofThatName = all.find((one) => {
    const problem = one === last ? NOT_ISSUED_BY : brokenLink(last, one);
    return problem !== undefined && problem !== NOT_ISSUED_BY;
  });
  if (ofThatName !== undefined)
    return `${where}${brokenLink(last, ofThatName)} ${ofThatName.place}`;
  if (isSelfSigned(last.certificate)) return `${where}is self-signed, but not one of the roots`;
  return `${where}is issued by ${nameText(last.certificate.issuer)}, of which no file holds a certificate`;
}

/** `openssl x509 -req` makes such ones unless it is told what to put in. */
function versionProblems(certificate: X509Certificate): readonly string[] | undefined {
  const { version } = certificateProfile(certificate);
  if (version >= X509_VERSION) return undefined;
  return [
    `is an X.509 certificate of version ${version}, which cannot say that it is a CA's: make it anew as version ${X509_VERSION}, with \`openssl x509 -req ... -extfile FILE\` and \`basicConstraints=critical,CA:TRUE\`, \`keyUsage=critical,keyCertSign,cRLSign\` in that file`,
  ];
}

function validityProblems({ validFrom, validTo }: X509Certificate, now: Date): readonly string[] {
  if (now < new Date(validFrom)) return [`is valid only from ${new Date(validFrom).toISOString()}`];
  if (now >= new Date(validTo)) return [`expired at ${new Date(validTo).toISOString()}`];
  return [];
}

function keyProblems({ publicKey }: X509Certificate): readonly string[] {
  if (keyTypeOf(publicKey) !== undefined) return [];
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const kind = [publicKey.asymmetricKeyType, modulusLength ?? namedCurve].join(" ").trim();
  return [
    `has a key that is not accepted (${kind}): expected P-256, P-384 or RSA of 2048 to 8192 bits`,
  ];
}

function ownKeyProblems({ signing, privateKey, keyFile }: BroughtAuthority): readonly string[] {
  if (privateKey === undefined || keyTypeOf(signing.certificate.publicKey) === undefined) return [];
  if (!signing.certificate.checkPrivateKey(privateKey))
    return [`${keyFile} is not the key of ${signing.place}`];
  try {
    if (versionProblems(signing.certificate) !== undefined) return []; // it is said
    issuerOf(signing.certificate, privateKey);
    return [];
  } catch (error) {
    return [`${signing.place} cannot sign: ${describeError(error)}`];
  }
}

/** Roots beside our own are trusted too, so what they are must be known; they break nothing of ours. */
function rootNotes(
  roots: readonly BroughtCertificate[],
  { chain, now }: { readonly chain: readonly BroughtCertificate[]; readonly now: Date },
): readonly string[] {
  const others = roots.filter(
    (root) => !chain.some(({ certificate }) => isSame(certificate, root.certificate)),
  );
  return others.map(({ certificate, place }) => {
    const [problem] = validityProblems(certificate, now);
    return `${place} is trusted beside the root that the chain leads to${problem === undefined ? "" : `, and ${problem}`}`;
  });
}

function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.raw.equals(other.raw);
}

/** With any algorithm: nobody relies on what a root says of itself. */
function isSelfSigned(certificate: X509Certificate): boolean {
  const { issuer, subject } = certificateProfile(certificate);
  return issuer.equals(subject) && certificate.verify(certificate.publicKey);
}
