/** Authorities and sidecars as the control plane sees them, for tests of rotation. */
import type { AuthorityState, AuthorityStatus } from "../../src/ca/rotation.ts";
import type { SidecarState } from "../../src/control/sidecar-state.ts";

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const NOW = new Date("2026-01-31T12:00:00Z");

/** One whose key identifier is `key of ID`. */
export function authorityStatus(
  id: string,
  state: AuthorityState,
  changes: Partial<AuthorityStatus> = {},
): AuthorityStatus {
  return {
    id,
    keyIdentifier: `key of ${id}`,
    state,
    origin: "self-signed",
    since: NOW,
    subject: `CN=${id}`,
    issuer: `CN=${id}`,
    keyAlgorithm: "ECDSA P-256",
    notBefore: new Date(NOW.getTime() - YEAR_MS),
    notAfter: new Date(NOW.getTime() + 9 * YEAR_MS),
    chainNotAfter: new Date(NOW.getTime() + 9 * YEAR_MS),
    weaknesses: [],
    ...changes,
  };
}

/** A connected one, with a certificate from 12:00 to 13:00 of 2026-01-31, backdated as they are. */
export function sidecarState(
  pod: string,
  { signer, ...changes }: Partial<SidecarState> & { readonly signer: string },
): SidecarState {
  return {
    pod,
    connection: "connected",
    trust: "newest",
    certificate: {
      serialNumber: "0A",
      authorityKeyIdentifier: `key of ${signer}`,
      notBefore: new Date(NOW.getTime() - 2 * MINUTE_MS),
      notAfter: new Date(NOW.getTime() + 60 * MINUTE_MS),
    },
    ...changes,
  };
}
