/** Everything of a gateway that faces its clients: a listener for each port of the newest view, and what serves them. */
import type { Socket } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import { acceptedConnection } from "../accepted-connection.ts";
import type { CapturedConnection } from "../capture-listener.ts";
import type { CompiledView } from "../compiled-view.ts";
import type { DestinationBalancers } from "../destination-balancers.ts";
import { formatAddress } from "../format-address.ts";
import { HttpServer } from "../http/http-server.ts";
import { HttpServiceHandler } from "../http-service.ts";
import { Listener } from "../listener.ts";
import { ListenerSet } from "../listener-set.ts";
import type { MutualTlsTerminator } from "../mutual-tls-terminator.ts";
import type { OutboundTargets } from "../outbound-targets.ts";
import type { Recorder } from "../recorder.ts";
import { peerProblem } from "../refusal-today.ts";
import { RoutedWays } from "../routed/routed-ways.ts";
import { clientProblemNow, type EdgeCall } from "./edge-call.ts";
import { EdgeTerminator } from "./edge-terminator.ts";
import { gatewayHttpService } from "./gateway-http.ts";
import { GatewayReception } from "./gateway-reception.ts";
import { GatewayStreams } from "./gateway-streams.ts";
import { ServedGateway, type ServedListener } from "./served-gateway.ts";

export interface GatewaySideOptions {
  readonly compiled: Watched<CompiledView>;
  readonly terminator: MutualTlsTerminator;
  readonly targets: OutboundTargets;
  readonly balancers: DestinationBalancers;
  /** Where the kernel leads all connections to us, no port is opened here. */
  readonly listening: "by itself" | "captured";
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
}

export class GatewaySide {
  readonly #options: GatewaySideOptions;
  readonly #edge = new EdgeTerminator();
  readonly #http: HttpServer<EdgeCall>;
  readonly #streams: GatewayStreams;
  readonly #reception: GatewayReception;
  readonly #set: ListenerSet;

  constructor(options: GatewaySideOptions) {
    this.#options = options;
    const ways = new RoutedWays(options);
    this.#http = new HttpServer(new HttpServiceHandler(gatewayHttpService({ ...options, ways })));
    this.#streams = new GatewayStreams({ ...options, ways });
    this.#reception = new GatewayReception({
      ...options,
      edge: this.#edge,
      http: this.#http,
      streams: this.#streams,
    });
    this.#set = new ListenerSet(options.log);
  }

  /** The newest view binds every open connection from now on. */
  enforce(compiled: CompiledView): void {
    const gateway = ServedGateway.of(compiled);
    this.#edge.retainOnly(new Set(gateway.servers.flatMap(({ keys }) => keys)));
    this.#tellProblems(gateway);
    this.#streams.judgeAgain(
      (call) => this.#problemNow(call, compiled),
      ({ containerPort, serverName }) =>
        gateway.listeners.get(containerPort)?.serverFor(serverName)?.server,
    );
    this.#http.expelWhere((call) => this.#isTrustedNoMore(call, compiled));
    this.#http.judgeAgain();
  }

  /** @throws ListenError when a port of the view cannot be opened */
  async apply(compiled: CompiledView): Promise<void> {
    if (this.#options.listening === "captured") return;
    const { listeners } = ServedGateway.of(compiled);
    await this.#set.apply(
      new Map(
        [...listeners.values()].map((served) => {
          const { containerPort, listen } = served.listener;
          const key = `${containerPort} at ${formatAddress(listen)}`;
          return [key, () => this.#listener(served)];
        }),
      ),
    );
  }

  /** A connection that the kernel led here. @returns whether it was going to a port that the gateway serves */
  receive(socket: Socket, captured: CapturedConnection): "taken" | "not served" {
    const { port: containerPort } = captured.local;
    const { compiled } = this.#options;
    if (!ServedGateway.of(compiled.current).listeners.has(containerPort)) return "not served";
    this.#reception.receive(socket, { ...captured, accepted: captured, containerPort });
    return "taken";
  }

  async close(): Promise<void> {
    this.#http.drain();
    await this.#set.close();
  }

  #listener({ listener: { containerPort, listen } }: ServedListener): Listener {
    const { log, clock } = this.#options;
    const listener: Listener = new Listener(listen, {
      log,
      serve: (socket) => {
        const accepted = acceptedConnection(socket, clock.now());
        if (accepted === undefined) {
          socket.destroy();
          return;
        }
        const expectFirstByte = (): (() => void) => listener.expectFirstByte(socket);
        this.#reception.receive(socket, { accepted, containerPort, expectFirstByte });
      },
    });
    return listener;
  }

  /** A request would be refused now: an idle connection need not wait for one. */
  #isTrustedNoMore(call: EdgeCall, compiled: CompiledView): boolean {
    const problem = this.#problemNow(call, compiled);
    if (problem === undefined) return false;
    this.#options.log.info("HTTP connection ended by a change of trust", {
      from: formatAddress(call.facts.remote),
      port: call.containerPort,
      problem,
    });
    return true;
  }

  /** What speaks against a client today that was let in once. */
  #problemNow(call: EdgeCall, compiled: CompiledView): string | undefined {
    const { view, roots } = compiled;
    const now = this.#options.clock.now();
    const { peer, rootsPem } = call;
    const listener = ServedGateway.of(compiled).listeners.get(call.containerPort);
    return (
      (peer && peerProblem({ peer, rootsPem }, { trust: view.trust, roots, now })) ??
      clientProblemNow(call, listener?.serverFor(call.serverName), now)
    );
  }

  /** Whoever looks for why nobody gets in finds it here, once for each view that says so. */
  #tellProblems(gateway: ServedGateway): void {
    for (const { server } of gateway.servers) {
      if (server.tls === undefined) continue;
      const traffic = server.traffic.is === "http" ? "http" : "stream";
      const problem =
        server.tls.certificates.length === 0
          ? server.tls.problem
          : this.#edge.problemOf(server.tls, traffic);
      if (problem !== undefined)
        this.#options.log.warn("server refuses all handshakes", {
          hosts: server.serverNames.join(", "),
          problem,
        });
    }
  }
}
