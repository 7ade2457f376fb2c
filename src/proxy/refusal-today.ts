/**
 * What would refuse a connection today that was accepted earlier: mode, trust domains, roots and revocation lists may have
 * changed.
 */
import { verifyTrustDomain } from "../identity/peer-certificate.ts";
import type { Reason } from "../policy/decision.ts";
import type { EffectiveMutualTls, NetworkAdmission, Trust } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Peer } from "./peer.ts";
import type { TrustedRoots } from "./trusted-roots.ts";

/** How a connection was accepted. */
export interface AcceptedTransport {
  /** Absent on plaintext. */
  readonly peer: Peer | undefined;
  /** PEM of the roots the peer was verified against. */
  readonly rootsPem: readonly string[];
  /** When the first certificate of the connection does, ours or the peer's; absent on plaintext. */
  readonly ends?: Date;
}

/** What is demanded of connections now. */
export interface TransportRules {
  readonly mutualTls: EffectiveMutualTls;
  readonly trust: Trust;
  readonly roots: TrustedRoots;
  readonly admission?: NetworkAdmission | undefined;
}

/** @returns undefined for a connection that may stay, also one whose mutual TLS is not asked for any more */
export function refusalToday(
  { peer, rootsPem }: AcceptedTransport,
  { rules, now }: { readonly rules: TransportRules; readonly now: Date },
): Reason | undefined {
  const notAdmitted = admissionRefusal(peer, rules.admission);
  if (notAdmitted !== undefined) return notAdmitted;
  const { mode, origin } = rules.mutualTls;
  if (peer === undefined) {
    return mode === "STRICT" ? { because: "plaintext-refused", origin } : undefined;
  }
  const problem = peerProblem({ peer, rootsPem }, { ...rules, now });
  return problem === undefined ? undefined : { because: "peer-not-verified", problem };
}

/** Why a peer that was verified once would not be now; the certificate's own end does not count (CA-32). */
export function peerProblem(
  { peer, rootsPem }: { readonly peer: Peer; readonly rootsPem: readonly string[] },
  { trust, roots, now }: Pick<TransportRules, "trust" | "roots"> & { readonly now: Date },
): string | undefined {
  return (
    foreignDomain(peer, trust) ??
    (roots.same(rootsPem) ? undefined : roots.problemOf(peer, now)) ??
    roots.revocationOf(peer, now)
  );
}

/** NetworkPolicy comes before everything else: a connection that it refuses does not come about. */
export function admissionRefusal(
  peer: Pick<Peer, "id"> | undefined,
  admission: NetworkAdmission | undefined,
): Reason | undefined {
  if (admission === undefined || admission.anyone) return undefined;
  const { identities, policies } = admission;
  if (peer !== undefined && identities.includes(peer.id)) return undefined;
  return { because: "network-policy", direction: "ingress", policies };
}

function foreignDomain({ id }: Peer, trust: Trust): string | undefined {
  try {
    verifyTrustDomain(id, trust);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
