/** Whether a certificate chain leads to a trusted root. For chains read outside a TLS handshake, which has its own check. */
import type { X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { certificateProfile } from "./certificate-profile.ts";
import { NOT_ISSUED_BY, signatureProblem } from "./certificate-signature.ts";
import { nameText } from "./name-text.ts";
import { extensionProblems, signerProblems } from "./signer-rules.ts";

/** Longer chains are refused, and no longer ones are looked for. */
export const MAX_CHAIN_CERTIFICATES = 10;

/** A certificate chain that does not lead to a trusted root. */
export class UntrustedChainError extends HauberkError {
  readonly code = "HAUBERK_UNTRUSTED_CHAIN";
}

/**
 * Every certificate is valid now and signed by the next, each signer may sign so many below it, and the last is signed
 * by a root.
 *
 * @param chain leaf first, each signed by the next (CA-2); with or without the root at its end
 * @returns the root that it leads to
 * @throws UntrustedChainError
 */
export function verifyChain(
  chain: readonly X509Certificate[],
  { roots, now }: { readonly roots: readonly X509Certificate[]; readonly now: Date },
): X509Certificate {
  if (chain.length > MAX_CHAIN_CERTIFICATES) throw new UntrustedChainError("the chain is too long");
  const below = withoutRoot(chain, roots);
  verifyLeaf(below[0]);
  below.forEach((certificate, index) => {
    verifyValidity(certificate, now);
    const next = below[index + 1];
    if (next === undefined) return;
    verifySigner(next, { what: "an intermediate", authoritiesBelow: index });
    const problem = signatureProblem(certificate, next);
    if (problem !== undefined)
      throw new UntrustedChainError(`a certificate of the chain ${problem} the next one`);
  });
  const root = rootOf(below.at(-1), roots);
  verifySigner(root, { what: "the root", authoritiesBelow: below.length - 1 });
  verifyValidity(root, now);
  return root;
}

/** Signers are looked at where they sign; a leaf must not demand what nobody here understands either. */
function verifyLeaf(leaf: X509Certificate | undefined): void {
  if (leaf === undefined) throw new UntrustedChainError("the chain is empty");
  const [problem] = extensionProblems(certificateProfile(leaf));
  if (problem !== undefined) throw new UntrustedChainError(`the leaf ${problem}`);
}

function withoutRoot(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): readonly X509Certificate[] {
  const last = chain.at(-1);
  const endsInRoot = last !== undefined && roots.some(({ raw }) => raw.equals(last.raw));
  return endsInRoot && chain.length > 1 ? chain.slice(0, -1) : chain;
}

function rootOf(
  last: X509Certificate | undefined,
  roots: readonly X509Certificate[],
): X509Certificate {
  if (last === undefined) throw new UntrustedChainError("the chain is empty");
  const problems = roots.map((root) => signatureProblem(last, root));
  const root = roots[problems.indexOf(undefined)];
  if (root !== undefined) return root;
  const ofThatName = problems.find((problem) => problem !== NOT_ISSUED_BY);
  const detail =
    ofThatName === undefined
      ? `it ends at ${nameText(last.issuer)}`
      : `it ${ofThatName} the root of that name`;
  throw new UntrustedChainError(`the chain leads to no trusted root: ${detail}`);
}

function verifyValidity({ validFrom, validTo }: X509Certificate, now: Date): void {
  // A date that cannot be read is no number: no comparison with it holds.
  if (!(now >= new Date(validFrom))) throw new UntrustedChainError(`valid only from ${validFrom}`);
  if (!(now < new Date(validTo))) throw new UntrustedChainError(`expired at ${validTo}`);
}

function verifySigner(
  certificate: X509Certificate,
  { what, authoritiesBelow }: { readonly what: string; readonly authoritiesBelow: number },
): void {
  const [problem] = signerProblems(certificate, { authoritiesBelow });
  if (problem !== undefined) throw new UntrustedChainError(`${what} ${problem}`);
}
