/** What should worry somebody about certificates: leaves that are not renewed, authorities that end. Pure. */
import { BACKDATE_MS } from "../ca/issuing-rules.ts";
import type { AuthorityStatus } from "../ca/rotation.ts";
import { type SidecarState, sidecarName } from "./sidecar-state.ts";

const DAY_MS = 86_400_000;
/** An authority's end is told so long before, or from two thirds of its life where that is shorter. */
const AUTHORITY_NOTICE_MS = 60 * DAY_MS;
const AUTHORITY_NOTICE_SHARE = 1 / 3;
/** A root that renews itself is told of when that has not come about (CA-42). */
const SELF_SIGNED_NOTICE_SHARE = 1 / 10;
/** Shares of a leaf's life, the gravest first. */
const LEAF_SHARES = [0.9, 0.75, 0.5] as const;
/** Renewal is due at half of the life, give or take its jitter (CA-31), and takes a moment. */
const RENEWAL_TOLERANCE_SHARE = 0.02;
const RENEWAL_TOLERANCE_MS = 5_000;

export interface CertificateWarning {
  /** The same for the same warning, so that it is said once. */
  readonly key: string;
  readonly level: "warn" | "error";
  readonly text: string;
}

export function certificateWarnings(
  inputs: {
    readonly sidecars: readonly SidecarState[];
    readonly authorities: readonly AuthorityStatus[];
  },
  now: Date,
): readonly CertificateWarning[] {
  return [
    ...inputs.authorities.flatMap((authority) => [
      ...authorityWarnings(authority, now),
      ...revocationWarnings(authority),
      ...returnWarnings(authority),
    ]),
    ...inputs.sidecars.flatMap((sidecar) => leafWarnings(sidecar, now)),
  ];
}

function authorityWarnings(
  { id, state, origin, notBefore, chainNotAfter }: AuthorityStatus,
  now: Date,
): readonly CertificateWarning[] {
  const leftMs = chainNotAfter.getTime() - now.getTime();
  const lifeMs = chainNotAfter.getTime() - notBefore.getTime();
  const share = origin === "custom" ? AUTHORITY_NOTICE_SHARE : SELF_SIGNED_NOTICE_SHARE;
  if (leftMs > Math.min(AUTHORITY_NOTICE_MS, lifeMs * share)) return [];
  const what = `the ${state} authority ${id}`;
  const ends = chainNotAfter.toISOString();
  const text =
    leftMs <= 0
      ? `${what} has ended at ${ends}`
      : `${what}, or an authority above it, ends at ${ends}; begin its rotation with \`hauberk ca prepare\``;
  const phase = leftMs <= 0 ? "ended" : "ends";
  return [{ key: `authority ${id} ${phase}`, level: leftMs <= 0 ? "error" : "warn", text }];
}

function revocationWarnings({
  id,
  state,
  revoked,
}: AuthorityStatus): readonly CertificateWarning[] {
  if (revoked === undefined) return [];
  const text = `the ${state} authority ${id} is revoked by its own list, so that all refuse what it signs: ${revoked}; bring another`;
  return [{ key: `authority ${id} revoked`, level: "error", text }];
}

function returnWarnings({ id, state, returned }: AuthorityStatus): readonly CertificateWarning[] {
  if (returned === undefined) return [];
  const text = `the ${state} authority ${id} is trusted again: ${returned}; rotate with \`hauberk ca prepare\`, unless it is meant`;
  return [{ key: `authority ${id} returned`, level: "error", text }];
}

function leafWarnings(sidecar: SidecarState, now: Date): CertificateWarning[] {
  const { certificate } = sidecar;
  if (certificate === undefined) return [];
  const name = sidecarName(sidecar);
  const { serialNumber, notAfter } = certificate;
  const start = Math.min(certificate.notBefore.getTime() + BACKDATE_MS, notAfter.getTime());
  const lifeMs = notAfter.getTime() - start;
  const passedMs = now.getTime() - start;
  const key = (what: string | number): string => `leaf ${name} ${serialNumber} ${what}`;
  const ends = notAfter.toISOString();
  if (now >= notAfter)
    return [
      { key: key("ended"), level: "error", text: `${name}: its certificate ended at ${ends}` },
    ];
  const share = LEAF_SHARES.find((one) => passedMs >= lifeMs * one + tolerance(one, lifeMs));
  if (share === undefined) return [];
  const text = `${name}: more than ${share * 100} % of its certificate's life has passed without renewal; it ends at ${ends}`;
  return [{ key: key(share), level: share === LEAF_SHARES[0] ? "error" : "warn", text }];
}

function tolerance(share: number, lifeMs: number): number {
  if (share !== 0.5) return 0;
  return Math.max(lifeMs * RENEWAL_TOLERANCE_SHARE, RENEWAL_TOLERANCE_MS);
}
