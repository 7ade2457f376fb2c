/**
 * How each endpoint of each destination is reached with today's certificate and trust. A new certificate or view makes
 * new targets: connections of the old ones finish what they carry and serve no further request.
 */
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Destination, Endpoint, Trust, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Target } from "./exchange.ts";
import { clientContextOptions, type MeshCredentials } from "./tls-context.ts";
import { TrustedRoots } from "./trusted-roots.ts";
import { type Connect, dialMutualTls, dialPlaintext, type Upstream } from "./upstream-dialer.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What the connection will carry, as far as the callee's sidecar is told by ALPN (TLS-35). */
export type Carried = "http" | "tcp";

/** `istio-peer-exchange` is left out: it would promise metadata frames that we do not send. */
const APPLICATION_PROTOCOLS: Readonly<Record<Carried, readonly string[]>> = {
  http: ["istio-http/1.1", "istio", "http/1.1"],
  tcp: ["istio"],
};

export class OutboundTargets {
  readonly #pool: UpstreamPool;
  readonly #connect: Connect;
  readonly #clock: Clock;
  #credentials: MeshCredentials;
  #roots: TrustedRoots;
  #secureContext: SecureContext;
  #trustHash: string;

  constructor(
    pool: UpstreamPool,
    {
      connect,
      clock,
      ...credentials
    }: MeshCredentials & { readonly connect: Connect; readonly clock: Clock },
  ) {
    this.#pool = pool;
    this.#connect = connect;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#roots = new TrustedRoots(credentials.trust.rootsPem, credentials.trust.crlsPem);
    this.#secureContext = createSecureContext(clientContextOptions(credentials));
    this.#trustHash = hashOfTrust(credentials.trust);
  }

  /** For connections from now on; idle ones that no target of `view` would reuse are closed. */
  refresh(credentials: MeshCredentials, view: WorkloadView): void {
    this.#secureContext = createSecureContext(clientContextOptions(credentials));
    this.#credentials = credentials;
    this.#roots = new TrustedRoots(credentials.trust.rootsPem, credentials.trust.crlsPem);
    this.#trustHash = hashOfTrust(credentials.trust);
    const keys = view.outbound.destinations.flatMap((destination) =>
      destination.endpoints.map((endpoint) => this.#key(destination, endpoint)),
    );
    this.#pool.retainOnly(new Set(keys));
  }

  /** For requests: over pooled connections. */
  target(destination: Destination, endpoint: Endpoint): Target {
    const carried = destination.protocol === "tcp" ? "tcp" : "http";
    const agent = this.#pool.agent(this.#key(destination, endpoint), () =>
      this.dial(destination, { endpoint, carried }),
    );
    return { address: endpoint.address, agent };
  }

  /** @throws UpstreamConnectError */
  dial(
    destination: Destination,
    { endpoint, carried }: { readonly endpoint: Endpoint; readonly carried: Carried },
  ): Promise<Upstream> {
    if (!endpoint.mutualTls) return dialPlaintext(endpoint.address, this.#connect);
    const { svid, trust } = this.#credentials;
    const roots = this.#roots;
    return dialMutualTls(endpoint.address, {
      own: svid,
      secureContext: this.#secureContext,
      serverName: destination.serverName,
      applicationProtocols: APPLICATION_PROTOCOLS[carried],
      trust,
      identities: destination.identities,
      problemOf: (peer) => roots.revocationOf(peer, this.#clock.now()),
      connect: this.#connect,
    });
  }

  #key(destination: Destination, { address, mutualTls }: Endpoint): string {
    const { host, servicePort, protocol, identities, serverName } = destination;
    const plain = [host, servicePort, protocol, address.address, address.port];
    if (!mutualTls) return JSON.stringify(plain);
    const { serialNumber } = this.#credentials.svid;
    return JSON.stringify([...plain, serverName, identities, serialNumber, this.#trustHash]);
  }
}

/** Of all that a callee is verified by; whose certificate is to be renewed is no concern of a connection. */
function hashOfTrust({ taintedAuthorities: _, ...trust }: Trust): string {
  return createHash("sha256").update(JSON.stringify(trust)).digest("base64");
}
