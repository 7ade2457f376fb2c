/**
 * Receives connections of a gateway's clients. Which server answers is decided by the name in the ClientHello, before any
 * handshake; nothing that a client sends is read before its handshake, and its certificate where one is demanded, was
 * found good.
 */
import type { Socket } from "node:net";
import type { Reason } from "../../policy/decision.ts";
import type { GatewayTls } from "../../policy/gateway-view.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import type { AcceptedConnection } from "../accepted-connection.ts";
import type { ClientHello } from "../client-hello.ts";
import type { CompiledView } from "../compiled-view.ts";
import { type FirstBytes, readFirstBytes, readHttpFraming } from "../first-bytes.ts";
import type { HttpServer } from "../http/http-server.ts";
import { tellOpened } from "../inbound-call.ts";
import { negotiatedFraming } from "../mesh-protocols.ts";
import type { MutualTlsTerminator, Verified } from "../mutual-tls-terminator.ts";
import type { PresentedCertificate } from "../peer.ts";
import { detectTls } from "../protocol-detection.ts";
import { refusalByLimits } from "../rate-limits/connection-limits.ts";
import type { Recorder } from "../recorder.ts";
import { callerProblem } from "./client-certificate.ts";
import type { EdgeCall } from "./edge-call.ts";
import type { EdgeTerminator, EdgeTraffic } from "./edge-terminator.ts";
import type { GatewayStreams } from "./gateway-streams.ts";
import { ServedGateway, type ServedListener, type ServedServer } from "./served-gateway.ts";

export interface GatewayServices {
  readonly compiled: Watched<CompiledView>;
  /** For servers that ask for the mesh's own certificates (ISTIO_MUTUAL). */
  readonly terminator: MutualTlsTerminator;
  readonly edge: EdgeTerminator;
  readonly http: Pick<HttpServer<EdgeCall>, "accept">;
  readonly streams: Pick<GatewayStreams, "carry">;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

export interface EdgeArrival {
  readonly accepted: AcceptedConnection;
  /** The pod's port that was called. */
  readonly containerPort: number;
  /** See `Listener`. */
  readonly expectFirstByte: () => () => void;
}

/** A client of TLS speaks first, and at once; so does one of HTTP. */
const FIRST_BYTE_MS = 10_000;
/** As long as a connection between requests may stand idle. */
const SILENCE_MS = 300_000;

export class GatewayReception {
  readonly #services: GatewayServices;

  constructor(services: GatewayServices) {
    this.#services = services;
  }

  /** Settles nothing: a connection that fails is destroyed and told. */
  receive(socket: Socket, arrival: EdgeArrival): void {
    this.#receive(socket, arrival).catch((error: unknown) => {
      this.#services.log.error("gateway connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  async #receive(socket: Socket, arrival: EdgeArrival): Promise<void> {
    const gateway = ServedGateway.of(this.#services.compiled.current);
    const listener = gateway.listeners.get(arrival.containerPort);
    if (listener === undefined) {
      socket.destroy();
      return;
    }
    const come = { ...arrival, socket, listener };
    if (listener.isTls) return this.#receiveTls(come);
    const server = listener.serverFor(undefined);
    if (server === undefined) return this.#refuse(come, {});
    const call = this.#call(come, { transport: "plaintext" });
    if (server.server.traffic.is === "http") return this.#serveHttp(socket, call, arrival);
    await this.#carry(come, { server, call });
  }

  async #receiveTls(arrival: Arrival): Promise<void> {
    const { socket, listener } = arrival;
    const spoken = arrival.expectFirstByte();
    const first = await readFirstBytes(socket, {
      detect: detectTls,
      silenceMs: FIRST_BYTE_MS,
      onSilence: "close",
    });
    spoken();
    if (first === undefined) {
      socket.destroy();
      return;
    }
    if (first.detected.kind !== "tls") {
      const problem = "the port is one of TLS, and the client spoke something else";
      return this.#refuse(arrival, { reason: { because: "peer-not-verified", problem } });
    }
    const { hello } = first.detected;
    const server = listener.serverFor(hello.serverName);
    const tls = server?.server.tls;
    if (server === undefined || tls === undefined) return this.#refuse(arrival, { hello });
    await this.#enter({ ...arrival, first }, { server, tls, hello });
  }

  async #enter(arrival: TlsArrival, { server, tls, hello }: Chosen): Promise<void> {
    if (tls.problem !== undefined) {
      const reason = { because: "peer-not-verified", problem: tls.problem } as const;
      return this.#refuse(arrival, { hello, reason });
    }
    if (tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") {
      const call = this.#call(arrival, { transport: "tls", hello });
      return this.#carry(arrival, { server, call });
    }
    const serves: EdgeTraffic = server.server.traffic.is === "http" ? "http" : "stream";
    const ended = await this.#terminate(arrival, { tls, hello, serves });
    if ("problem" in ended) {
      const reason = { because: "peer-not-verified", problem: ended.problem } as const;
      return this.#refuse(arrival, { hello, reason });
    }
    const { socket } = ended;
    const call = this.#call(arrival, { transport: "tls", hello, ...ended, tls });
    if (serves === "http") await this.#serveHttp(socket, call);
    else await this.#carry({ ...arrival, socket }, { server, call });
  }

  async #terminate(
    { socket }: TlsArrival,
    { tls, hello, serves }: { tls: GatewayTls; hello: ClientHello; serves: EdgeTraffic },
  ): Promise<Ended | { readonly problem: string }> {
    const { terminator, edge } = this.#services;
    const offered = hello.applicationProtocols;
    if (tls.mode !== "ISTIO_MUTUAL")
      return edge.terminate(socket, { tls, traffic: serves, offered });
    const serve = serves === "http" ? "http" : "tcp";
    const verified = await terminator.terminate(socket, { offered, serve });
    if ("problem" in verified) return verified;
    const problem = callerProblem(verified.peer, tls.callers);
    if (problem === undefined) return { socket: verified.socket, verified };
    verified.socket.destroy();
    return { problem };
  }

  async #serveHttp(
    socket: Socket & { readonly alpnProtocol?: string | false | null },
    call: EdgeCall,
    arrival?: EdgeArrival,
  ): Promise<void> {
    const { compiled, http, log, recorder } = this.#services;
    const spoken = arrival?.expectFirstByte();
    const waiting = { declared: "http", silenceMs: SILENCE_MS } as const;
    const framing =
      negotiatedFraming(socket.alpnProtocol) ?? (await readHttpFraming(socket, waiting));
    spoken?.();
    if (framing === undefined) {
      socket.destroy();
      return;
    }
    const { connectionLimits } = compiled.current;
    const limited = refusalByLimits(connectionLimits, { socket, connection: call.connection });
    if (limited !== undefined) {
      socket.destroy();
      recorder.connectionRefused(call.facts, { verdict: "deny", reason: limited });
      return;
    }
    tellOpened(call, { log, protocol: framing });
    http.accept(socket, call, framing);
  }

  async #carry(
    { socket, first }: Pick<TlsArrival, "socket"> & { readonly first?: FirstBytes },
    { server, call }: { readonly server: ServedServer; readonly call: EdgeCall },
  ): Promise<void> {
    const head = first?.head ?? NOTHING;
    await this.#services.streams.carry({ socket, call, head }, server.server);
  }

  #refuse(
    arrival: Arrival,
    { hello, reason }: { readonly hello?: ClientHello; readonly reason?: Reason },
  ): void {
    arrival.socket.destroy();
    const { facts } = this.#call(arrival, { transport: "tls", ...(hello && { hello }) });
    const decision = reason && ({ verdict: "deny", reason } as const);
    this.#services.recorder.connectionRefused(facts, decision);
  }

  #call(
    { accepted, containerPort, listener }: Arrival,
    { transport, hello, socket, verified, certificate, tls }: Met,
  ): EdgeCall {
    const { acceptedAt, remote, local } = accepted;
    const { compiled } = this.#services;
    const name = hello?.serverName === undefined ? {} : { serverName: hello.serverName };
    const peer = verified?.peer;
    const { identity } = compiled.current.view.workload;
    let known = listener.port;
    const negotiated = socket?.alpnProtocol || undefined;
    return {
      peer,
      rootsPem: verified?.rootsPem ?? [],
      ...(negotiated !== undefined && { negotiated }),
      containerPort,
      serverName: hello?.serverName,
      offered: hello?.applicationProtocols ?? [],
      transport,
      ...(certificate && { clientCertificate: certificate }),
      ...(tls?.clientTrust && { verifiedBy: tls.clientTrust }),
      port: () => {
        const newest = ServedGateway.of(compiled.current).listeners.get(containerPort);
        known = newest?.port ?? known;
        return known;
      },
      facts: {
        reporter: "source",
        startedAt: acceptedAt,
        remote,
        local,
        ...name,
        ...(peer && { identities: { source: peer, destination: identity } }),
      },
      connection: {
        sourceAddress: remote.address,
        sourcePort: remote.port,
        destinationAddress: local.address,
        destinationPort: containerPort,
        ...name,
        ...(peer && { principal: peer.id }),
      },
    };
  }
}

const NOTHING = Buffer.alloc(0);

interface Arrival extends EdgeArrival {
  readonly socket: Socket;
  readonly listener: ServedListener;
}

interface TlsArrival extends Arrival {
  readonly first: FirstBytes;
}

interface Chosen {
  readonly server: ServedServer;
  readonly tls: GatewayTls;
  readonly hello: ClientHello;
}

/** A handshake that is over. */
interface Ended {
  readonly socket: Socket & { readonly alpnProtocol?: string | false | null };
  readonly verified?: Verified;
  readonly certificate?: PresentedCertificate | undefined;
}

/** What is known of a client. */
interface Met extends Partial<Ended> {
  readonly transport: EdgeCall["transport"];
  readonly hello?: ClientHello;
  readonly tls?: GatewayTls;
}
