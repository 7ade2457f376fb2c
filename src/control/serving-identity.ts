/** What the control plane shows whoever connects (CA-21), and whose certificates it takes. */
import type { AuthorityTrust } from "../ca/rotation.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { ServerIdentity } from "../wire/secure-grpc-server.ts";
import { OwnCertificate, type OwnCertificateOptions } from "./own-certificate.ts";

/** `CITADEL_SELF_SIGNED_CA_CERT_TTL`; the authority's own end clamps it (CA-21). */
const LIFETIME_MS = 3650 * 24 * 60 * 60 * 1000;

export interface ServingIdentityOptions extends OwnCertificateOptions {
  readonly trust: Watched<AuthorityTrust>;
  /** IP address that it serves on. */
  readonly address: string;
}

export class ServingIdentity {
  readonly identity: WatchedValue<ServerIdentity>;
  readonly #trust: Watched<AuthorityTrust>;
  readonly #own: OwnCertificate;
  readonly #stops: readonly (() => void)[];

  /** @throws AuthorityExpiredError */
  constructor({ trust, address, ...options }: ServingIdentityOptions) {
    const names = { dnsNames: [CONTROL_PLANE_NAME, "localhost"], ipAddresses: [address] };
    this.#trust = trust;
    this.#own = new OwnCertificate("the control plane's own certificate", options, (by, request) =>
      by.issueServer({ ...request, ...names, lifetimeMs: LIFETIME_MS }),
    );
    this.identity = new WatchedValue(this.#identity);
    const changed = (): void => this.identity.set(this.#identity);
    this.#stops = [this.#own.held.onChange(changed), trust.onChange(changed)];
  }

  close(): void {
    this.#own.close();
    for (const stop of this.#stops) stop();
  }

  get #identity(): ServerIdentity {
    const { chainPem, privateKeyPem } = this.#own.held.current;
    const clientRootsPem = this.#trust.current.rootsPem;
    return { certificateChainPem: chainPem.join("\n"), privateKeyPem, clientRootsPem };
  }
}
