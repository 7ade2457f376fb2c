/**
 * Whether a client certificate is still good. TLS has judged it once, when its connection was made; connections outlive
 * dates, revocation lists and roots, so everybody who acts on a certificate asks here, with each call.
 */
import { X509Certificate } from "node:crypto";
import { revocationProblem } from "../identity/certificate-revocation.ts";
import { presentedChain } from "../identity/presented-chain.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { AuthorityTrust } from "./rotation.ts";

/** More roots than a mesh holds at once, those that come and go included. */
const MAX_CACHED_ROOTS = 64;

/** What was found out of a certificate, and holds while its root is trusted. */
interface VerifiedChain {
  /** Leaf first, the root last. */
  readonly chain: readonly X509Certificate[];
  readonly rootPem: string;
  /** When all of the chain is valid, in milliseconds. */
  readonly from: number;
  readonly until: number;
  /** The lists that were last found to name none of them. */
  clearedBy?: readonly string[];
}

/** By the certificate as its connection has it: signatures are verified once a connection, not once a call. */
const verified = new WeakMap<X509Certificate, VerifiedChain>();
const parsedRoots = new Map<string, X509Certificate>();

/**
 * @param certificate those that were sent above it as its `issuerCertificate`; sent in another order they prove nothing
 * @returns what is wrong with it, to be read after "the client certificate"; undefined: nothing
 */
export function clientCertificateProblem(
  certificate: X509Certificate,
  {
    trust,
    now,
  }: { readonly trust: Pick<AuthorityTrust, "rootsPem" | "crlsPem">; readonly now: Date },
): string | undefined {
  const known = verified.get(certificate);
  const isTrusted = known !== undefined && trust.rootsPem.includes(known.rootPem);
  const chain = isTrusted ? known : verifiedChain(certificate, { ...trust, now });
  if (typeof chain === "string") return chain;
  verified.set(certificate, chain);
  const dates = datesProblem(chain, now);
  if (dates !== undefined || chain.clearedBy === trust.crlsPem) return dates;
  const revoked = revocationProblem(chain.chain, trust.crlsPem, now);
  if (revoked === undefined) chain.clearedBy = trust.crlsPem;
  return revoked && `is refused: ${revoked}`;
}

function verifiedChain(
  certificate: X509Certificate,
  { rootsPem, now }: { readonly rootsPem: readonly string[]; readonly now: Date },
): VerifiedChain | string {
  if (isOver(certificate, now)) return `expired at ${certificate.validTo}`;
  const sent = presentedChain(certificate);
  // Of two roots with one key, one may have ended.
  const roots = rootsPem.map(parsedRoot).filter((root) => !isOver(root, now));
  try {
    const root = verifyChain(sent, { roots, now });
    const rootPem = rootsPem.find((pem) => parsedRoot(pem).raw.equals(root.raw)) ?? "";
    const chain = [...sent.filter(({ raw }) => !raw.equals(root.raw)), root];
    const from = Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom)));
    const until = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
    return { chain, rootPem, from, until };
  } catch (error) {
    return `is not trusted any more: ${describeError(error)}`;
  }
}

function datesProblem({ from, until }: VerifiedChain, now: Date): string | undefined {
  const time = now.getTime();
  if (time >= until) return `expired at ${new Date(until).toISOString()}`;
  return time < from ? `is valid only from ${new Date(from).toISOString()}` : undefined;
}

function isOver({ validTo }: X509Certificate, now: Date): boolean {
  return !(now.getTime() < Date.parse(validTo));
}

function parsedRoot(pem: string): X509Certificate {
  const cached = parsedRoots.get(pem);
  if (cached !== undefined) return cached;
  if (parsedRoots.size >= MAX_CACHED_ROOTS) parsedRoots.clear();
  const root = new X509Certificate(pem);
  parsedRoots.set(pem, root);
  return root;
}
