/**
 * How each endpoint of each destination is reached with today's certificate and trust. A new certificate or view makes
 * new targets: connections of the old ones finish what they carry and serve no further request.
 */
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
} from "../policy/effective-traffic-policy.ts";
import type { Destination, Endpoint, Trust, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { DestinationBalancers } from "./destination-balancers.ts";
import type { Target } from "./exchange.ts";
import type { ConnectionLimits } from "./http/upstream-connections.ts";
import type { ConnectionPools } from "./http/upstream-connections-pools.ts";
import { keptAlive } from "./kept-alive.ts";
import { type CallContent, OFFERED_PROTOCOLS } from "./mesh-protocols.ts";
import { type AnyDestination, allDestinations } from "./outbound-call.ts";
import { clientContextOptions, type MeshCredentials } from "./tls-context.ts";
import { Originator } from "./tls-origination/originator.ts";
import { TrustedRoots } from "./trusted-roots.ts";
import { type Connect, dialMutualTls, dialPlaintext, type Upstream } from "./upstream-dialer.ts";

/** What requests share a connection for. */
export type RequestContent = Exclude<CallContent, "tcp">;

/** How the keys of connections begin that stand on certificates of others; the keys of all else are lists. */
const ORIGINATED = "originated ";

const REQUESTS: readonly RequestContent[] = ["HTTP/1.1", "HTTP/2", "upgrade"];

/** By what requests share a connection for. */
interface KnownTargets extends Pick<AnyDestination, "host" | "servicePort"> {
  /** The same endpoint may be one of a subset, too, which is called otherwise. */
  readonly subset: string | undefined;
  /** Of a wildcard host, what each of its names must prove. */
  readonly tlsOrigination: Destination["tlsOrigination"];
  readonly targets: Partial<Record<RequestContent, Target>>;
}

export interface OutboundTargetsOptions extends MeshCredentials {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly balancers: DestinationBalancers;
  readonly log: Log;
}

export class OutboundTargets {
  readonly #pools: ConnectionPools;
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #balancers: DestinationBalancers;
  #credentials: MeshCredentials;
  #roots: TrustedRoots;
  #contextOptions: SecureContextOptions;
  #secureContext: SecureContext;
  #trustHash: string;
  /** Worked out once for each endpoint of a view. */
  #known: WeakMap<Endpoint, KnownTargets> = new WeakMap();
  readonly #originator: Originator;

  constructor(
    pools: ConnectionPools,
    { connect, clock, balancers, log, ...credentials }: OutboundTargetsOptions,
  ) {
    this.#originator = new Originator({ log, changed: () => this.#renewOriginated() });
    this.#balancers = balancers;
    this.#pools = pools;
    this.#connect = connect;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#roots = new TrustedRoots(credentials.trust.rootsPem, credentials.trust.crlsPem);
    this.#contextOptions = clientContextOptions(credentials);
    this.#secureContext = createSecureContext(this.#contextOptions);
    this.#trustHash = hashOfTrust(credentials.trust);
  }

  /** For connections from now on; idle ones that no target of `view` would reuse are closed. */
  refresh(credentials: MeshCredentials, view: WorkloadView): void {
    this.#renewContext(clientContextOptions(credentials));
    this.#credentials = credentials;
    this.#roots = new TrustedRoots(credentials.trust.rootsPem, credentials.trust.crlsPem);
    this.#trustHash = hashOfTrust(credentials.trust);
    this.#known = new WeakMap();
    const keys = allDestinations(view.outbound).flatMap((destination) =>
      destination.endpoints.flatMap((endpoint) =>
        REQUESTS.map((content) => this.#key(destination, endpoint, content)),
      ),
    );
    this.#pools.retainOnly(new Set(keys));
    this.#originator.apply(view);
  }

  close(): Promise<void> {
    return this.#originator.close();
  }

  /** For requests: over pooled connections. */
  target(destination: AnyDestination, endpoint: Endpoint, content: RequestContent): Target {
    const { host, servicePort, subset, tlsOrigination } = destination;
    let known = this.#known.get(endpoint);
    const isSame = known?.host === host && known.servicePort === servicePort;
    const isAlike = isSame && known?.tlsOrigination === tlsOrigination;
    if (known === undefined || !isAlike || known.subset !== subset) {
      known = { host, servicePort, subset, tlsOrigination, targets: {} };
      this.#known.set(endpoint, known);
    }
    known.targets[content] ??= this.#target(destination, endpoint, content);
    return known.targets[content];
  }

  /** Connections from now on stand on the new certificates; idle ones of before are closed. */
  #renewOriginated(): void {
    this.#known = new WeakMap();
    this.#pools.retire(ORIGINATED);
  }

  /** Only where TLS is told something new: a context holds 30 KiB that no collector knows of. */
  #renewContext(options: SecureContextOptions): void {
    if (isDeepStrictEqual(options, this.#contextOptions)) return;
    this.#secureContext = createSecureContext(options);
    this.#contextOptions = options;
  }

  #target(destination: AnyDestination, endpoint: Endpoint, content: RequestContent): Target {
    const dial = (): Promise<Upstream> => this.dial(destination, { endpoint, content });
    const balancer = this.#balancers.of(destination);
    const connections = this.#pools.connections(this.#key(destination, endpoint, content), {
      dial: () => balancer?.dialCounted(endpoint, dial) ?? dial(),
      mayDial: () => balancer?.mayConnect !== false,
      unnegotiated: content === "HTTP/2" ? "HTTP/2" : "HTTP/1",
      limits: limitsOf(destination),
    });
    return { address: endpoint.address, connections };
  }

  /** @throws UpstreamConnectError */
  dial(
    destination: Destination,
    { endpoint, content }: { readonly endpoint: Endpoint; readonly content: CallContent },
  ): Promise<Upstream> {
    const { connectTimeoutMs: connectMs, tcpKeepalive } = poolOf(destination);
    const connect = keptAlive(this.#connect, tcpKeepalive);
    const { tlsOrigination: origination, host } = destination;
    if (origination !== undefined) {
      const call = { origination, host, content, connect, connectMs };
      return this.#originator.dial(endpoint.address, call);
    }
    if (!endpoint.mutualTls) return dialPlaintext(endpoint.address, connect, connectMs);
    const { svid, trust } = this.#credentials;
    const roots = this.#roots;
    return dialMutualTls(endpoint.address, {
      own: svid,
      secureContext: this.#secureContext,
      serverName: destination.serverName,
      applicationProtocols: OFFERED_PROTOCOLS[content],
      trust,
      identities: destination.identities,
      problemOf: (peer) => roots.revocationOf(peer, this.#clock.now()),
      connect,
      connectMs,
    });
  }

  #key(
    destination: AnyDestination,
    { address, mutualTls }: Endpoint,
    content: RequestContent,
  ): string {
    const { host, servicePort, identities, serverName, trafficPolicy, tlsOrigination } =
      destination;
    const pool = trafficPolicy?.connectionPool;
    const name = [host, servicePort, destination.subset];
    const plain = [...name, content, address.address, address.port, pool];
    if (tlsOrigination !== undefined) {
      return ORIGINATED + JSON.stringify([...plain, this.#originator.keyOf(tlsOrigination)]);
    }
    if (!mutualTls) return JSON.stringify(plain);
    const { serialNumber } = this.#credentials.svid;
    return JSON.stringify([...plain, serverName, identities, serialNumber, this.#trustHash]);
  }
}

function poolOf({ trafficPolicy }: Destination): EffectiveConnectionPool {
  return (trafficPolicy ?? DEFAULT_TRAFFIC_POLICY).connectionPool;
}

function limitsOf(destination: Destination): Partial<ConnectionLimits> {
  const pool = poolOf(destination);
  return {
    ...(pool.httpIdleTimeoutMs !== undefined && { idleMs: pool.httpIdleTimeoutMs }),
    maxRequestsPerConnection: pool.maxRequestsPerConnection,
    maxConnectionDurationMs: pool.httpMaxConnectionDurationMs,
  };
}

/** Of all that a callee is verified by; whose certificate is to be renewed is no concern of a connection. */
function hashOfTrust({ taintedAuthorities: _, ...trust }: Trust): string {
  return createHash("sha256").update(JSON.stringify(trust)).digest("base64");
}
