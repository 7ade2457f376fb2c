/**
 * Connections of a gateway whose content is nobody's matter: TCP, and TLS that is passed on as it is. Policies that ask of
 * requests alone do not hold for them (AP-60); the others do, and again whenever they change.
 */
import type { Socket } from "node:net";
import type { GatewayServer } from "../../policy/gateway-view.ts";
import { pickDestination } from "../../policy/routes/pick-destination.ts";
import type { StreamRoute } from "../../policy/routes/stream-route.ts";
import { findStreamRoute } from "../../policy/routes/stream-table.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { Destination } from "../../policy/workload-view.ts";
import type { ApplicationTarget } from "../application-dial.ts";
import type { DestinationBalancers } from "../destination-balancers.ts";
import { dialDestination } from "../dial-destination.ts";
import { formatAddress } from "../format-address.ts";
import type { InboundCall } from "../inbound-call.ts";
import { type Carried, InboundCarrier, type InboundCarrierOptions } from "../inbound-carrier.ts";
import { outboundCluster } from "../outbound-call.ts";
import { withDestination } from "../outbound-requests.ts";
import type { OutboundTargets } from "../outbound-targets.ts";
import type { Peer } from "../peer.ts";
import { reachable } from "../reachable-endpoints.ts";
import { type AcceptedTransport, peerProblem } from "../refusal-today.ts";
import { destinationName, type RoutedWays } from "../routed/routed-ways.ts";
import { type Upstream, UpstreamConnectError } from "../upstream-dialer.ts";
import type { EdgeCall } from "./edge-call.ts";
import { onlyEndpoint, passedThrough, unopened } from "./passed-through.ts";

export interface GatewayStreamsOptions extends Omit<InboundCarrierOptions, "application"> {
  readonly ways: RoutedWays;
  readonly targets: Pick<OutboundTargets, "dial">;
  readonly balancers: DestinationBalancers;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** Where a connection goes. */
interface StreamDeparture {
  readonly destination: Destination;
  /** "unopened": it is mutual TLS of the mesh already. */
  readonly as: "content" | "unopened";
}

/** One that stands. */
interface Standing {
  readonly call: EdgeCall;
  readonly departure: StreamDeparture;
  /** The endpoint that was dialled last. */
  target?: SocketAddress;
  /** Once its callee was dialled, and is one of the mesh. */
  callee?: Pick<AcceptedTransport, "rootsPem"> & { readonly peer: Peer };
}

export class GatewayStreams {
  readonly #options: GatewayStreamsOptions;
  readonly #carrier: InboundCarrier;
  readonly #departed = new WeakMap<InboundCall, Standing>();
  /** By the client's side. */
  readonly #open = new Map<Socket, Standing>();

  constructor(options: GatewayStreamsOptions) {
    this.#options = options;
    this.#carrier = new InboundCarrier({ ...options, application: (call) => this.#target(call) });
  }

  /** Resolves when the connection has ended, or was refused. */
  async carry(
    carried: Carried & { readonly call: EdgeCall },
    server: GatewayServer,
  ): Promise<void> {
    const { socket, call } = carried;
    const departure = this.#departureOf(call, server);
    const reach = departure && reachable(departure.destination);
    if (departure === undefined || reach === undefined || "refused" in reach) {
      socket.destroy();
      const decision = reach !== undefined && "refused" in reach ? reach.refused : undefined;
      this.#options.recorder.connectionRefused(call.facts, decision);
      return;
    }
    const { destination } = departure;
    const departed = { ...call, facts: withDestination(call.facts, destination) };
    const standing: Standing = { call, departure };
    this.#departed.set(departed, standing);
    this.#open.set(socket, standing);
    await this.#carrier
      .carry({ ...carried, call: departed })
      .finally(() => this.#open.delete(socket));
  }

  /**
   * Ends the connections that the newest view refuses, and those whose way it has no more: a server, a route or a service
   * that was taken away is not reached by whoever came in time.
   *
   * @param problemOf what it has against a client
   * @param serverOf who would serve it now
   */
  judgeAgain(
    problemOf: (call: EdgeCall) => string | undefined,
    serverOf: (call: EdgeCall) => GatewayServer | undefined,
  ): void {
    this.#carrier.judgeAgain();
    for (const [socket, standing] of this.#open) {
      const { call } = standing;
      const problem =
        problemOf(call) ??
        this.#wayProblem(standing, serverOf(call)) ??
        this.#calleeProblem(standing);
      if (problem === undefined) continue;
      socket.destroy();
      this.#options.log.info("connection ended by a change of trust or routes", {
        from: formatAddress(call.facts.remote),
        port: call.containerPort,
        problem,
      });
    }
  }

  #wayProblem(
    { call, departure: { destination, as } }: Standing,
    server: GatewayServer | undefined,
  ): string | undefined {
    if (server === undefined) return "nobody serves its name any more";
    if (as === "unopened") {
      const now = server.traffic.is === "by-server-name" ? this.#passedThrough(call) : undefined;
      return now === undefined ? "nothing is passed on to where it goes any more" : undefined;
    }
    const cluster = outboundCluster(destination);
    const leads = destinationsOf(call, server).some(
      (one) => one.problem === undefined && outboundCluster(destinationName(one)) === cluster,
    );
    if (!leads) return "no route leads to where it goes any more";
    const isThere = this.#options.compiled.current.destinations.has(cluster);
    return isThere ? undefined : "where it goes is no service any more";
  }

  #calleeProblem({ callee }: Standing): string | undefined {
    if (callee === undefined) return undefined;
    const { compiled, clock } = this.#options;
    const { view, roots } = compiled.current;
    return peerProblem(callee, { trust: view.trust, roots, now: clock.now() });
  }

  #departureOf(call: EdgeCall, server: GatewayServer): StreamDeparture | undefined {
    if (server.traffic.is === "by-server-name") return this.#passedThrough(call);
    const chosen = pickDestination(destinationsOf(call, server), this.#options.random());
    if (chosen === undefined || chosen.problem !== undefined) return undefined;
    const destination = this.#options.ways.of(chosen)?.destination;
    return destination && { destination, as: "content" };
  }

  #passedThrough(call: EdgeCall): StreamDeparture | undefined {
    const { destinations } = this.#options.compiled.current.view.outbound;
    const destination = passedThrough(call, destinations);
    return destination && { destination, as: "unopened" };
  }

  #target(call: InboundCall): ApplicationTarget {
    const standing = this.#departed.get(call);
    return {
      get address() {
        return standing?.target ?? NOWHERE;
      },
      dial: () => this.#dial(call, standing),
    };
  }

  /** @throws UpstreamConnectError */
  async #dial({ facts }: InboundCall, standing: Standing | undefined): Promise<Upstream> {
    const { targets, balancers, random, compiled } = this.#options;
    if (standing === undefined) throw failed("nobody is there to be called");
    const { destination, as } = standing.departure;
    const { rootsPem } = compiled.current.view.trust;
    const isUnopened = as === "unopened";
    const dialled = await dialDestination(
      { facts, destination, only: isUnopened ? onlyEndpoint(destination, random()) : undefined },
      { targets: isUnopened ? unopened(targets) : targets, balancers, isLeft: () => false },
    );
    const { target } = "failure" in dialled ? dialled.failure : dialled;
    if (target !== undefined) standing.target = target;
    if ("failure" in dialled) throw failed(dialled.failure.reason ?? dialled.failure.flags);
    const { upstream, attempts } = dialled;
    upstream.socket.once("close", () => attempts.done());
    const peer = upstream.mutualTls?.peer;
    if (peer !== undefined) standing.callee = { peer, rootsPem };
    // Trust may have changed while it was dialled.
    const problem = this.#calleeProblem(standing);
    if (problem === undefined) return upstream;
    upstream.socket.destroy();
    throw failed(problem);
  }
}

/** Of the first route that is for it. */
function destinationsOf(
  { serverName, connection: { destinationAddress } }: EdgeCall,
  { traffic }: GatewayServer,
): StreamRoute["destinations"] {
  if (traffic.is !== "stream") return [];
  return findStreamRoute(traffic.routes, { serverName, destinationAddress })?.destinations ?? [];
}

const NOWHERE = { address: "", port: 0 };

function failed(problem: string): UpstreamConnectError {
  return new UpstreamConnectError("tcp", new Error(problem));
}
