/**
 * Who stands in the way of a step of rotation, and what taking it all the same would break. Pure. A step waits for every
 * live sidecar: one that is left behind refuses the others, or is refused by them.
 */
import type { AuthorityStatus, RotationStep } from "../ca/rotation.ts";
import { type SidecarState, sidecarName } from "./sidecar-state.ts";

export interface Blocker {
  /** `namespace/pod`, and of several processes of its sidecar which. */
  readonly pod: string;
  /** What it lacks, to be read after its name: "has not connected". */
  readonly lacks: string;
}

export interface GateInputs {
  readonly sidecars: readonly SidecarState[];
  readonly authorities: readonly AuthorityStatus[];
  /** Fingerprint of the newest trust. */
  readonly trust: string;
}

/**
 * `activate` needs the newest roots everywhere, `revoke` a certificate of the active authority too; the other steps take
 * nothing away that anybody needs.
 */
export function blockersOf(step: RotationStep, inputs: GateInputs): readonly Blocker[] {
  const needs = NEEDS[step];
  return inputs.sidecars.flatMap((sidecar) => {
    const lacks = needs
      .map((need) => need(sidecar, inputs))
      .filter((lack) => lack !== undefined)
      .join("; ");
    return lacks === "" ? [] : [{ pod: sidecarName(sidecar), lacks }];
  });
}

/** What taking a step against its blockers would break, in one sentence. */
export function breakage(step: RotationStep, blockers: readonly Blocker[]): string {
  const many = blockers.length !== 1;
  const who = many ? `${blockers.length} sidecars` : "1 sidecar";
  const they = many ? "they have" : "it has";
  return step === "revoke"
    ? `${who} will be refused by all others until ${they} a certificate of the active authority`
    : `${who} will refuse the new certificates of the others, and of the control plane, until ${they} the new roots`;
}

type Need = (sidecar: SidecarState, inputs: GateInputs) => string | undefined;

const connected: Need = ({ connection, certificate }) => {
  if (connection === "connected") return undefined;
  return certificate === undefined ? "has not connected" : "is not connected any more";
};

const newestTrust: Need = ({ connection, trust }, inputs) =>
  connection === "connected" && trust !== inputs.trust
    ? "has not acknowledged the newest roots"
    : undefined;

const activeCertificate: Need = ({ certificate }, { authorities }) => {
  if (certificate === undefined) return undefined; // it has not connected: that is said
  const signer = signerOf(certificate.authorityKeyIdentifier, authorities);
  if (signer?.state === "active") return undefined;
  const whose = signer?.id ?? certificate.authorityKeyIdentifier ?? "an unknown authority";
  return `still presents a certificate of ${whose}, until ${certificate.notAfter.toISOString()}`;
};

const NEEDS: Readonly<Record<RotationStep, readonly Need[]>> = {
  prepare: [],
  activate: [connected, newestTrust],
  taint: [],
  revoke: [connected, newestTrust, activeCertificate],
  rollback: [],
};

/** The authority with that subject key identifier; of two with the same key the active one. */
export function signerOf(
  keyIdentifier: string | undefined,
  authorities: readonly AuthorityStatus[],
): AuthorityStatus | undefined {
  const signers = authorities.filter((authority) => authority.keyIdentifier === keyIdentifier);
  return signers.find(({ state }) => state === "active") ?? signers[0];
}
