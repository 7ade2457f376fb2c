/**
 * Connections of a gateway whose content is nobody's matter: TCP, and TLS that is passed on as it is. Policies that ask of
 * requests alone do not hold for them (AP-60); the others do, and again whenever they change.
 */
import type { Socket } from "node:net";
import type { GatewayServer } from "../../policy/gateway-view.ts";
import { pickDestination } from "../../policy/routes/pick-destination.ts";
import { findStreamRoute } from "../../policy/routes/stream-table.ts";
import type { Destination } from "../../policy/workload-view.ts";
import type { ApplicationTarget } from "../application-dial.ts";
import type { DestinationBalancers } from "../destination-balancers.ts";
import { dialDestination } from "../dial-destination.ts";
import { formatAddress } from "../format-address.ts";
import type { InboundCall } from "../inbound-call.ts";
import { type Carried, InboundCarrier, type InboundCarrierOptions } from "../inbound-carrier.ts";
import { withDestination } from "../outbound-requests.ts";
import type { OutboundTargets } from "../outbound-targets.ts";
import { reachable } from "../reachable-endpoints.ts";
import type { RoutedWays } from "../routed/routed-ways.ts";
import { type Upstream, UpstreamConnectError } from "../upstream-dialer.ts";
import type { EdgeCall } from "./edge-call.ts";

export interface GatewayStreamsOptions extends Omit<InboundCarrierOptions, "application"> {
  readonly ways: RoutedWays;
  readonly targets: Pick<OutboundTargets, "dial">;
  readonly balancers: DestinationBalancers;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export class GatewayStreams {
  readonly #options: GatewayStreamsOptions;
  readonly #carrier: InboundCarrier;
  readonly #destinations = new WeakMap<InboundCall, Destination>();
  /** Those that stand, by the client's side. */
  readonly #open = new Map<Socket, EdgeCall>();

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
    const destination = this.#destinationOf(call, server);
    const reach = destination && reachable(destination);
    if (destination === undefined || reach === undefined || "refused" in reach) {
      socket.destroy();
      const decision = reach !== undefined && "refused" in reach ? reach.refused : undefined;
      this.#options.recorder.connectionRefused(call.facts, decision);
      return;
    }
    const departed = { ...call, facts: withDestination(call.facts, destination) };
    this.#destinations.set(departed, reach.destination);
    this.#open.set(socket, call);
    await this.#carrier
      .carry({ ...carried, call: departed })
      .finally(() => this.#open.delete(socket));
  }

  /** Ends the connections that the newest view refuses. @param problemOf what it has against a client */
  judgeAgain(problemOf: (call: EdgeCall) => string | undefined): void {
    this.#carrier.judgeAgain();
    for (const [socket, call] of this.#open) {
      const problem = problemOf(call);
      if (problem === undefined) continue;
      socket.destroy();
      this.#options.log.info("connection ended by a change of trust", {
        from: formatAddress(call.facts.remote),
        port: call.containerPort,
        problem,
      });
    }
  }

  #destinationOf(call: EdgeCall, { traffic }: GatewayServer): Destination | undefined {
    const { serverName } = call;
    if (traffic.is === "http") return undefined;
    if (traffic.is === "by-server-name") return this.#named(serverName);
    const { destinationAddress } = call.connection;
    const route = findStreamRoute(traffic.routes, { serverName, destinationAddress });
    const chosen = route && pickDestination(route.destinations, this.#options.random());
    if (chosen === undefined || chosen.problem !== undefined) return undefined;
    return this.#options.ways.of(chosen)?.destination;
  }

  /** TLS-44: what comes is mutual TLS of the mesh already; none of ours is put around it. */
  #named(serverName: string | undefined): Destination | undefined {
    const { destinations } = this.#options.compiled.current.view.outbound;
    const found = destinations.find((one) => one.serverName === serverName);
    const endpoints = found?.endpoints.map((one) => ({ ...one, mutualTls: false }));
    return found && endpoints && { ...found, endpoints };
  }

  #target(call: InboundCall): ApplicationTarget {
    const destination = this.#destinations.get(call);
    const address = destination?.endpoints[0]?.address ?? NOWHERE;
    return { address, dial: () => this.#dial(call, destination) };
  }

  /** @throws UpstreamConnectError */
  async #dial({ facts }: InboundCall, destination: Destination | undefined): Promise<Upstream> {
    const { targets, balancers } = this.#options;
    if (destination === undefined) throw failed("nobody is there to be called");
    const dialled = await dialDestination(
      { facts, destination, only: undefined },
      { targets, balancers, isLeft: () => false },
    );
    if ("failure" in dialled) throw failed(dialled.failure.reason ?? dialled.failure.flags);
    const { upstream, attempts } = dialled;
    upstream.socket.once("close", () => attempts.done());
    return upstream;
  }
}

const NOWHERE = { address: "", port: 0 };

function failed(problem: string): UpstreamConnectError {
  return new UpstreamConnectError("tcp", new Error(problem));
}
