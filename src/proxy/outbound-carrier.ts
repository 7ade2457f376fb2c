/** Carries a connection of the application's own to a destination: as requests, or as bytes. */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import { ConnectAttempts } from "./connect-attempts.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import { readFirstBytes } from "./first-bytes.ts";
import { type DestinationName, namedDestination, type OutboundCall } from "./outbound-call.ts";
import { withDestination } from "./outbound-http.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import type { Peer } from "./peer.ts";
import { detectHttp } from "./protocol-detection.ts";
import { reachable } from "./reachable-endpoints.ts";
import { type CallFacts, formatAddress, type Recorder } from "./recorder.ts";
import { peerProblem } from "./refusal-today.ts";
import { relay } from "./tcp-relay.ts";
import { type Upstream, UpstreamConnectError } from "./upstream-dialer.ts";

export interface OutboundCarrierOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: OutboundTargets;
  readonly choice: EndpointChoice;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  /** Serves a connection that carries requests. */
  readonly requests: (socket: Socket, call: OutboundCall) => void;
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
    const { view } = this.#options.compiled.current;
    const destination = namedDestination(view.outbound.destinations, call.via);
    if (destination === undefined) {
      socket.destroy();
      this.#options.recorder.connectionRefused(call.facts);
      return;
    }
    const known = withDestination(call.facts, destination);
    const requests = (): void => this.#options.requests(socket, { ...call, facts: known });
    const carried = this.#carry(socket, { facts: known, destination, requests });
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
    departure: Departure & { readonly requests: () => void },
  ): Promise<void> {
    const { protocol } = departure.destination;
    if (protocol === "http") return departure.requests();
    if (protocol === "tcp") return this.#carryTcp(socket, { ...departure, head: NOTHING });
    const silent = "refused" in reachable(departure.destination) ? REFUSED_ANYWAY : {};
    const first = await readFirstBytes(socket, { detect: detectHttp, ...silent });
    if (first === undefined) socket.destroy();
    else if (first.detected.kind === "http") departure.requests();
    else await this.#carryTcp(socket, { ...departure, head: first.head });
  }

  async #carryTcp(socket: Socket, departure: Departure & { readonly head: Buffer }): Promise<void> {
    const { facts, head } = departure;
    const { recorder } = this.#options;
    const reach = reachable(departure.destination);
    if ("refused" in reach) {
      socket.destroy();
      recorder.connectionRefused(facts, reach.refused);
      return;
    }
    const { rootsPem } = this.#options.compiled.current.view.trust;
    const dialled = await this.#dial(reach.destination, socket);
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
    const { upstream, target } = dialled;
    this.#tellOpened(departure, dialled);
    recorder.connectionOpened(facts, upstream);
    this.#watch(socket, { facts, upstream, rootsPem });
    const { received, sent } = await relay(socket, upstream.socket, { head });
    this.#standing.delete(socket);
    const bytes = { bytesReceived: received, bytesSent: sent };
    recorder.connectionClosed(facts, { flags: "-", ...bytes, target, ends: upstream });
  }

  /** Trust may have changed while the callee was dialled. */
  #watch(socket: Socket, { facts, upstream, rootsPem }: Opened): void {
    const peer = upstream.mutualTls?.peer;
    if (peer === undefined) return;
    this.#standing.set(socket, { facts, peer, rootsPem });
    if (rootsPem !== this.#options.compiled.current.view.trust.rootsPem) this.judgeAgain();
  }

  async #dial(destination: Destination, client: Socket): Promise<Dialled | DialFailure> {
    const { choice, targets } = this.#options;
    const attempts = new ConnectAttempts(choice.order(destination), "again");
    let endpoint = attempts.first();
    if (endpoint === undefined) return { failure: { flags: "UH" } };
    for (;;) {
      const target = endpoint.address;
      try {
        const upstream = await targets.dial(destination, { endpoint, carried: "tcp" });
        return { upstream, target };
      } catch (error) {
        if (!(error instanceof UpstreamConnectError)) throw error;
        const next = attempts.after(endpoint, error);
        const failure = { flags: "UF", reason: error.reason, target } as const;
        if (next === undefined || client.destroyed) return { failure };
        endpoint = next.endpoint;
        await delay(next.pauseMs);
      }
    }
  }

  #tellOpened({ facts, destination }: Departure, { upstream, target }: Dialled): void {
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

interface Standing {
  readonly facts: CallFacts;
  readonly peer: Peer;
  /** PEM of the roots the callee was verified against. */
  readonly rootsPem: readonly string[];
}

interface Opened extends Pick<Standing, "facts" | "rootsPem"> {
  readonly upstream: Upstream;
}

interface Departure {
  readonly facts: CallFacts;
  readonly destination: Destination;
}

interface Dialled {
  readonly upstream: Upstream;
  readonly target: SocketAddress;
}

interface DialFailure {
  readonly failure: {
    readonly flags: "UF" | "UH";
    readonly reason?: string;
    readonly target?: SocketAddress;
  };
}
