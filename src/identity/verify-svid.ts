/** Whose identity a chain proves, judged by the roots of that identity's own trust domain and by no other's. */
import type { X509Certificate } from "node:crypto";
import { type SpiffeId, trustDomainOf } from "./spiffe-id.ts";
import { spiffeIdOfLeaf } from "./svid-rules.ts";
import { UntrustedChainError, verifyChain } from "./verify-chain.ts";

/**
 * @param chain leaf first, without a root
 * @param options.roots by the name of the trust domain: one must never vouch for identities of another
 * @throws InvalidSvidError, UntrustedChainError
 */
export function verifySvid(
  chain: readonly X509Certificate[],
  options: {
    readonly roots: ReadonlyMap<string, readonly X509Certificate[]>;
    readonly now: Date;
  },
): SpiffeId {
  const [leaf] = chain;
  if (leaf === undefined) throw new UntrustedChainError("the chain is empty");
  const id = spiffeIdOfLeaf(leaf);
  const trustDomain = trustDomainOf(id);
  const roots = options.roots.get(trustDomain);
  if (roots === undefined)
    throw new UntrustedChainError(`there is no bundle of the trust domain ${trustDomain}`);
  verifyChain(chain, { roots, now: options.now });
  return id;
}
