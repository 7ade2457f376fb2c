/** Carries a connection of the application's own to a destination: as requests, or as bytes. */
import type { Socket } from "node:net";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import type { DestinationBalancers } from "./destination-balancers.ts";
import { type Dialled, type DialledDestination, dialDestination } from "./dial-destination.ts";
import { type FirstBytesOptions, readFirstBytes } from "./first-bytes.ts";
import { formatAddress } from "./format-address.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import { type DestinationName, namedDestination, type OutboundCall } from "./outbound-call.ts";
import { chooseOutboundChain, outboundDetector } from "./outbound-chain.ts";
import { withDestination } from "./outbound-requests.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import type { Peer } from "./peer.ts";
import { reachable } from "./reachable-endpoints.ts";
import type { CallFacts, Recorder } from "./recorder.ts";
import { peerProblem } from "./refusal-today.ts";
import { streamWay } from "./routed/stream-way.ts";
import { type RelayOptions, relay } from "./tcp-relay.ts";
import type { Upstream } from "./upstream-dialer.ts";

export interface OutboundCarrierOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: OutboundTargets;
  readonly balancers: DestinationBalancers;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Serves a connection that carries requests. */
  readonly requests: (socket: Socket, call: OutboundCall, framing: HttpFraming) => void;
}

export class OutboundCarrier {
  readonly #options: OutboundCarrierOptions;
  /** By the application's side. */
  readonly #standing = new Map<Socket, Standing>();

  constructor(options: OutboundCarrierOptions) {
    this.#options = options;
  }

  /** Finds the destination in the newest view and serves the connection as its protocol says. */
  serve(socket: Socket, call: OutboundCall & { readonly via: DestinationName }): void {
    const { destinations } = this.#options.compiled.current;
    const destination = namedDestination(destinations, call.via);
    if (destination === undefined) {
      socket.destroy();
      this.#options.recorder.connectionRefused(call.facts);
      return;
    }
    const known = withDestination(call.facts, destination);
    const requests = (framing: HttpFraming): void =>
      this.#options.requests(socket, { ...call, facts: known }, framing);
    const { only } = call.via;
    const carried = this.#carry(socket, { facts: known, destination, requests, only });
    carried.catch((error: unknown) => {
      this.#options.log.error("outbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  /** Ends the connections whose callee the newest trust refuses; its certificate's own end is no reason (CA-32). */
  judgeAgain(): void {
    const { compiled, clock, log } = this.#options;
    const { view, roots } = compiled.current;
    for (const [socket, { peer, rootsPem, facts }] of this.#standing) {
      const now = clock.now();
      const problem = peerProblem({ peer, rootsPem }, { trust: view.trust, roots, now });
      if (problem === undefined) continue;
      this.#standing.delete(socket);
      socket.destroy();
      log.info("outbound connection ended by a change of trust", {
        from: formatAddress(facts.remote),
        cluster: facts.cluster,
        upstreamPrincipal: peer.id,
        problem,
      });
    }
  }

  async #carry(
    socket: Socket,
    departure: DialledDestination & { readonly requests: (framing: HttpFraming) => void },
  ): Promise<void> {
    const { protocol } = departure.destination;
    const detect = outboundDetector(protocol);
    if (detect === undefined) return this.#carryTcp(socket, { ...departure, head: NOTHING });
    const first = await readFirstBytes(socket, { detect, ...silenceOf(departure.destination) });
    if (first === undefined) {
      socket.destroy();
      return;
    }
    const chain = chooseOutboundChain(protocol, first.detected);
    if (chain.serve === "tcp") await this.#carryTcp(socket, { ...departure, head: first.head });
    else if (first.head.length > 0) socket.destroy();
    else departure.requests(chain.http);
  }

  async #carryTcp(
    socket: Socket,
    called: DialledDestination & { readonly head: Buffer },
  ): Promise<void> {
    const departure = await this.#routed(socket, called);
    if (departure === "nowhere") {
      socket.destroy();
      this.#options.recorder.connectionRefused(called.facts);
      return;
    }
    const { facts, head } = departure;
    const { recorder } = this.#options;
    const reach = reachable(departure.destination);
    if ("refused" in reach) {
      socket.destroy();
      recorder.connectionRefused(facts, reach.refused);
      return;
    }
    const { rootsPem } = this.#options.compiled.current.view.trust;
    const dialled = await dialDestination(
      { ...departure, destination: reach.destination },
      { ...this.#options, isLeft: () => socket.destroyed },
    );
    if ("failure" in dialled) {
      socket.destroy();
      const { flags, reason, target } = dialled.failure;
      recorder.connectionOpened(facts);
      recorder.connectionClosed(facts, {
        flags,
        bytesReceived: 0,
        bytesSent: 0,
        ...(reason === undefined ? {} : { transportFailure: reason }),
        ...(target === undefined ? {} : { target }),
      });
      return;
    }
    const { upstream, target, attempts } = dialled;
    this.#tellOpened(departure, dialled);
    recorder.connectionOpened(facts, upstream);
    this.#watch(socket, { facts, upstream, rootsPem });
    const { received, sent } = await relay(socket, upstream.socket, {
      head,
      ...lifetimesOf(departure.destination),
    });
    attempts.done();
    this.#standing.delete(socket);
    const bytes = { bytesReceived: received, bytesSent: sent };
    recorder.connectionClosed(facts, { flags: "-", ...bytes, target, ends: upstream });
  }

  /** Where users' routes lead it; most connections have none. */
  async #routed<Called extends DialledDestination & { readonly head: Buffer }>(
    socket: Socket,
    called: Called,
  ): Promise<Called | "nowhere"> {
    const compiled = this.#options.compiled.current;
    if (compiled.view.outbound.streamRoutes === undefined) return called;
    const { destination, head, facts } = called;
    const way = await streamWay(
      socket,
      { destination, head, address: facts.local.address },
      { compiled, chance: this.#options.random },
    );
    if (way === "nowhere") return way;
    if (way === "as called" || way.destination === destination)
      return way === "as called" ? called : { ...called, head: way.head };
    return { ...called, ...way, only: undefined, facts: withDestination(facts, way.destination) };
  }

  /** Trust may have changed while the callee was dialled. */
  #watch(socket: Socket, { facts, upstream, rootsPem }: Opened): void {
    const peer = upstream.mutualTls?.peer;
    if (peer === undefined) return;
    this.#standing.set(socket, { facts, peer, rootsPem });
    if (rootsPem !== this.#options.compiled.current.view.trust.rootsPem) this.judgeAgain();
  }

  #tellOpened({ facts, destination }: DialledDestination, { upstream, target }: Dialled): void {
    this.#options.log.info("outbound connection opened", {
      from: formatAddress(facts.remote),
      to: `${destination.host}:${destination.servicePort}`,
      upstream: formatAddress(target),
      upstreamPrincipal: upstream.mutualTls?.peer.id,
      upstreamSerial: upstream.mutualTls?.peer.serialNumber,
      serial: upstream.mutualTls?.own.serialNumber,
    });
  }
}

const NOTHING = Buffer.alloc(0);
/** Nobody will greet a client that waits for it: it is told soon. */
const REFUSED_ANYWAY = { silenceMs: 300, onSilence: "tcp" } as const;
/** As long as a connection between requests may stand idle. */
const SILENT_CLIENT = { silenceMs: 300_000, onSilence: "close" } as const;

/** 0: without end. */
function lifetimesOf({ trafficPolicy }: Destination): Pick<RelayOptions, "idleMs" | "mostMs"> {
  const { connectionPool } = trafficPolicy ?? DEFAULT_TRAFFIC_POLICY;
  const { tcpIdleTimeoutMs = 0, tcpMaxConnectionDurationMs = 0 } = connectionPool;
  return { idleMs: tcpIdleTimeoutMs, mostMs: tcpMaxConnectionDurationMs };
}

function silenceOf(destination: Destination): Partial<FirstBytesOptions> {
  if (destination.protocol !== "auto") return SILENT_CLIENT;
  return "refused" in reachable(destination) ? REFUSED_ANYWAY : {};
}

interface Standing {
  readonly facts: CallFacts;
  readonly peer: Peer;
  /** PEM of the roots the callee was verified against. */
  readonly rootsPem: readonly string[];
}

interface Opened extends Pick<Standing, "facts" | "rootsPem"> {
  readonly upstream: Upstream;
}
