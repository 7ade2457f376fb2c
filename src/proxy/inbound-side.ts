/**
 * Everything that faces callers: one listener for each port of the newest view, or one for all ports where the kernel
 * leads them there.
 */
import type { Socket } from "node:net";
import type { InboundPort } from "../policy/workload-view.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { applicationByView, applicationInPod } from "./application-dial.ts";
import { type CapturedConnection, CaptureListener } from "./capture-listener.ts";
import { type Capture, inboundProblem } from "./capture-rules.ts";
import { CertificateDeadlines } from "./certificate-deadlines.ts";
import { type CompiledView, transportRules } from "./compiled-view.ts";
import { formatAddress } from "./format-address.ts";
import { HttpServer } from "./http/http-server.ts";
import { ConnectionPools } from "./http/upstream-connections-pools.ts";
import { HttpServiceHandler } from "./http-service.ts";
import type { InboundCall } from "./inbound-call.ts";
import { InboundCarrier } from "./inbound-carrier.ts";
import { applicationKey, inboundHttpService } from "./inbound-http.ts";
import { InboundListener } from "./inbound-listener.ts";
import type { ServedPort } from "./inbound-ports.ts";
import { InboundReception } from "./inbound-reception.ts";
import { ListenerSet } from "./listener-set.ts";
import type { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import type { Recorder } from "./recorder.ts";
import { peerProblem } from "./refusal-today.ts";

export interface InboundSideOptions {
  readonly compiled: Watched<CompiledView>;
  readonly terminator: MutualTlsTerminator;
  /** Where the kernel leads all connections to us. */
  readonly capture: Capture | undefined;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  /** Serves a captured connection to a port of a gateway's; absent: there is none. */
  readonly edge?: (socket: Socket, captured: CapturedConnection) => "taken" | "not served";
}

/** Some servers close after two seconds, and say so to nobody; a new connection to the own machine costs little. */
const APPLICATION_IDLE_MS = 1_500;
/** The kernel changes the destination to the address of the interface by which a connection came. */
const EVERY_ADDRESS = ["0.0.0.0", "::"] as const;

export class InboundSide {
  readonly #options: InboundSideOptions;
  readonly #pools = new ConnectionPools({ idleMs: APPLICATION_IDLE_MS });
  readonly #http: HttpServer<InboundCall>;
  readonly #carrier: InboundCarrier;
  readonly #reception: InboundReception;
  readonly #set: ListenerSet;
  readonly #unserved: BoundedWarning;
  #listeners = new Map<string, InboundListener>();

  constructor(options: InboundSideOptions) {
    this.#options = options;
    const { capture } = options;
    const application = capture === undefined ? applicationByView : applicationInPod(capture);
    const service = inboundHttpService({ ...options, application, pools: this.#pools });
    this.#http = new HttpServer(new HttpServiceHandler(service));
    this.#carrier = new InboundCarrier({ ...options, application });
    this.#reception = new InboundReception({
      ...options,
      deadlines: new CertificateDeadlines(options),
      http: this.#http,
      carrier: this.#carrier,
    });
    this.#set = new ListenerSet(options.log);
    this.#unserved = new BoundedWarning(options.log, { message: "no settings for a port" });
  }

  /** The newest view's settings bind every open connection from now on, also those that they end. */
  enforce({ view }: CompiledView): void {
    for (const port of view.inbound.ports) this.#listeners.get(keyOf(port))?.update(port);
    this.#carrier.judgeAgain();
    this.#http.expelWhere((call) => this.#isTrustedNoMore(call));
    this.#http.judgeAgain();
  }

  /** A request would be refused now: an idle connection need not wait for one. */
  #isTrustedNoMore({ peer, rootsPem, port, facts }: InboundCall): boolean {
    if (peer === undefined) return false;
    const { compiled, clock, log } = this.#options;
    const rules = transportRules(compiled.current, port());
    const problem = peerProblem({ peer, rootsPem }, { ...rules, now: clock.now() });
    if (problem === undefined) return false;
    log.info("HTTP connection ended by a change of trust", {
      from: formatAddress(facts.remote),
      port: port().containerPort,
      principal: peer.id,
      problem,
    });
    return true;
  }

  /** @throws ListenError when a port of the view cannot be opened */
  async apply({ view }: CompiledView): Promise<void> {
    const { capture } = this.#options;
    if (capture !== undefined) {
      await this.#set.apply(new Map([["capture", () => this.#captureListener(capture)]]));
      return;
    }
    const { ports } = view.inbound;
    const keys = ports.flatMap(({ application }) => [
      applicationKey(application, "HTTP/1"),
      applicationKey(application, "HTTP/2"),
    ]);
    this.#pools.retainOnly(new Set(keys));
    const listeners = new Map<string, InboundListener>();
    for (const port of ports) {
      const key = keyOf(port);
      const listener = this.#listeners.get(key) ?? this.#listener(port);
      listener.update(port);
      listeners.set(key, listener);
    }
    this.#listeners = listeners;
    await this.#set.apply(new Map([...listeners].map(([key, one]) => [key, () => one])));
  }

  async close(): Promise<void> {
    this.#http.drain();
    await this.#set.close();
    this.#pools.close();
  }

  #listener(port: InboundPort): InboundListener {
    return new InboundListener(port, { ...this.#options, reception: this.#reception });
  }

  #captureListener(capture: Capture): CaptureListener {
    return new CaptureListener({
      ...this.#options,
      listen: EVERY_ADDRESS.map((address) => ({ address, port: capture.inboundPort })),
      problemOf: (original) => inboundProblem(original, capture),
      serve: (socket, captured) => this.#receive(socket, captured),
    });
  }

  /** A port that a newer view leaves out keeps the last settings it had, for connections that stand. */
  #receive(socket: Socket, captured: CapturedConnection): void {
    if (this.#options.edge?.(socket, captured) === "taken") return;
    const { address, port: number } = captured.local;
    const settings = (): ServedPort | undefined =>
      this.#options.compiled.current.ports.at(number, address);
    const first = settings();
    if (first === undefined) {
      socket.destroy();
      this.#unserved.warn({ port: number, from: formatAddress(captured.remote) });
      return;
    }
    let latest = first;
    const port = (): ServedPort => {
      latest = settings() ?? latest;
      return latest;
    };
    this.#reception.receive(socket, { ...captured, accepted: captured, port });
  }
}

/** All by which a port is the same one in the next view. */
function keyOf({ containerPort, listen }: InboundPort): string {
  return `${containerPort} at ${formatAddress(listen)}`;
}
