/**
 * One inbound port: finds out what a client speaks, demands the identity that the port's mode demands, and hands the
 * connection to the HTTP or the TCP side. Whatever is refused is refused before the application hears of it.
 */
import type { Socket } from "node:net";
import type { Reason } from "../policy/decision.ts";
import type { InboundPort } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { type AcceptedConnection, acceptedConnection } from "./accepted-connection.ts";
import type { CompiledView } from "./compiled-view.ts";
import {
  chooseFilterChain,
  detectorFor,
  type FilterChain,
  type PortSettings,
} from "./filter-chain.ts";
import { type FirstBytes, type FirstBytesOptions, readFirstBytes } from "./first-bytes.ts";
import type { HttpFront } from "./http-front.ts";
import { type InboundCall, inboundCluster, tellOpened } from "./inbound-call.ts";
import type { Carried, InboundCarrier } from "./inbound-carrier.ts";
import type { InboundExchange } from "./inbound-steps.ts";
import { Listener } from "./listener.ts";
import type { MutualTlsTerminator, Verified } from "./mutual-tls-terminator.ts";
import type { Recorder } from "./recorder.ts";

export interface InboundServices {
  readonly compiled: Watched<CompiledView>;
  readonly terminator: MutualTlsTerminator;
  readonly http: Pick<HttpFront<InboundCall, InboundExchange>, "accept">;
  readonly carrier: Pick<InboundCarrier, "carry">;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

/** A mesh client speaks first, and at once. */
const HANDSHAKE_BEGINS_MS = 10_000;
/** On a plaintext TCP port a client that is to be greeted says nothing; TLS would have begun by then. */
const GREETING_MS = 300;

export class InboundListener {
  readonly #services: InboundServices;
  readonly #listener: Listener;
  #port: InboundPort;

  constructor(port: InboundPort, services: InboundServices) {
    this.#port = port;
    this.#services = services;
    this.#listener = new Listener(port.listen, {
      log: services.log,
      serve: (socket) => this.#serve(socket),
    });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }

  /** Settings for connections, and for requests on those that are open, from now on. */
  update(port: InboundPort): void {
    this.#port = port;
  }

  #serve(socket: Socket): void {
    const accepted = acceptedConnection(socket, this.#services.clock.now());
    if (accepted === undefined) {
      socket.destroy();
      return;
    }
    this.#detect(socket, accepted).catch((error: unknown) => {
      this.#services.log.error("inbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  async #detect(socket: Socket, accepted: AcceptedConnection): Promise<void> {
    const spoken = this.#listener.expectFirstByte(socket);
    const port = this.#port;
    const settings = { mode: port.mutualTls.mode, protocol: port.protocol };
    const first = await readFirstBytes(socket, firstBytesOptions(settings));
    spoken();
    if (first === undefined) {
      socket.destroy();
      return;
    }
    const chain = chooseFilterChain(settings, first.detected);
    await this.#follow(chain, { socket, accepted, first });
  }

  async #follow(chain: FilterChain, { socket, accepted, first }: Arrival): Promise<void> {
    const serverName = first.detected.kind === "tls" ? first.detected.hello.serverName : undefined;
    const plain = this.#call(accepted, { serverName });
    if ("refuse" in chain) {
      this.#refuse(socket, plain, this.#refusal(chain.refuse));
    } else if (chain.transport === "mutual-tls" && first.detected.kind === "tls") {
      const offered = first.detected.hello.applicationProtocols;
      const termination = await this.#services.terminator.terminate(socket, offered);
      if ("problem" in termination) {
        const { problem } = termination;
        this.#refuse(socket, plain, { because: "peer-not-verified", problem });
      } else {
        const call = this.#call(accepted, { serverName, verified: termination });
        await this.#carry(chain.serve, { socket: termination.socket, call, head: first.head });
      }
    } else {
      await this.#carry(chain.serve, { socket, call: plain, head: first.head });
    }
  }

  #refusal(refused: "plaintext-refused" | "tls-refused" | "no-mesh-protocol"): Reason {
    const { origin } = this.#port.mutualTls;
    if (refused !== "no-mesh-protocol") return { because: refused, origin };
    return { because: "peer-not-verified", problem: "TLS that offers no protocol of the mesh" };
  }

  #refuse(socket: Socket, { facts }: InboundCall, reason: Reason): void {
    socket.destroy();
    this.#services.recorder.connectionRefused(facts, { verdict: "deny", reason });
  }

  async #carry(serve: "http" | "tcp", carried: Carried): Promise<void> {
    const { carrier, http, log } = this.#services;
    const { socket, call, head } = carried;
    if (serve === "tcp") {
      await carrier.carry(carried);
    } else if (head.length > 0) {
      socket.destroy();
    } else {
      tellOpened(call, { log, protocol: serve });
      http.accept(socket, call);
    }
  }

  #call(
    { acceptedAt, remote, local }: AcceptedConnection,
    {
      serverName,
      verified,
    }: { readonly serverName: string | undefined; readonly verified?: Verified },
  ): InboundCall {
    const { identity } = this.#services.compiled.current.view.workload;
    const peer = verified?.peer;
    const name = serverName === undefined ? {} : { serverName };
    return {
      peer,
      rootsPem: verified?.rootsPem ?? [],
      port: () => this.#port,
      facts: {
        reporter: "destination",
        startedAt: acceptedAt,
        remote,
        local,
        cluster: inboundCluster(this.#port),
        ...name,
        ...(peer && { identities: { source: peer, destination: identity } }),
      },
      connection: {
        sourceAddress: remote.address,
        sourcePort: remote.port,
        destinationAddress: local.address,
        destinationPort: this.#port.containerPort,
        ...name,
        ...(peer && { principal: peer.id }),
      },
    };
  }
}

interface Arrival {
  readonly socket: Socket;
  readonly accepted: AcceptedConnection;
  readonly first: FirstBytes;
}

/** PA-41, with limits where no client is kept waiting by them. */
function firstBytesOptions(settings: PortSettings): FirstBytesOptions {
  const { mode, protocol } = settings;
  const options = { detect: detectorFor(settings) };
  if (mode === "STRICT") return { ...options, silenceMs: HANDSHAKE_BEGINS_MS, onSilence: "close" };
  if (mode === "DISABLE" && protocol === "tcp") {
    return { ...options, silenceMs: GREETING_MS, onSilence: "tcp" };
  }
  return options;
}
