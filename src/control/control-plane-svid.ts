/** The control plane's own identity, as others verify it by SPIFFE ID. */
import { type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { WatchedValue } from "../runtime/watched.ts";
import {
  type HeldOwnCertificate,
  OwnCertificate,
  type OwnCertificateOptions,
} from "./own-certificate.ts";

const LIFETIME_MS = 24 * 3_600_000;

export interface ControlPlaneSvidOptions extends OwnCertificateOptions {
  readonly trustDomain: string;
}

/** As istiod's own service account has it. */
export function controlPlaneIdentity(trustDomain: string): SpiffeId {
  return spiffeId({ trustDomain, namespace: "istio-system", serviceAccount: "istiod" });
}

export class ControlPlaneSvid {
  readonly svid: WatchedValue<X509Svid>;
  readonly #own: OwnCertificate;

  /** @throws AuthorityExpiredError */
  constructor({ trustDomain, ...options }: ControlPlaneSvidOptions) {
    const id = controlPlaneIdentity(trustDomain);
    this.#own = new OwnCertificate("the control plane's own identity", options, (by, request) =>
      by.issue({ ...request, id, lifetimeMs: LIFETIME_MS }),
    );
    this.svid = new WatchedValue(svidOf(id, this.#own.held.current));
    this.#own.held.onChange((held) => this.svid.set(svidOf(id, held)));
  }

  close(): void {
    this.#own.close();
  }
}

function svidOf(id: SpiffeId, { chainPem, ...held }: HeldOwnCertificate): X509Svid {
  const { privateKeyPem, serialNumber, issuedAt, notAfter } = held;
  return {
    id,
    certificateChainPem: chainPem.join(""),
    privateKeyPem,
    serialNumber,
    issuedAt,
    notAfter,
  };
}
