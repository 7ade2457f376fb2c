/**
 * Connections of the application's own, as the kernel leads them here: to a destination of the mesh by its address, or
 * to an address that nobody knows, which is reached as if there were no sidecar, or not at all.
 */
import type { Socket } from "node:net";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { goesAsCalled } from "./called-destination.ts";
import type { CapturedConnection } from "./capture-listener.ts";
import { BLACK_HOLE, PASSTHROUGH } from "./cluster-names.ts";
import type { CompiledView } from "./compiled-view.ts";
import { readFirstBytes } from "./first-bytes.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import {
  type DestinationName,
  type OutboundCall,
  outboundCluster,
  UNKNOWN_DESTINATION,
} from "./outbound-call.ts";
import { detectHttp } from "./protocol-detection.ts";
import type { CallFacts, ConnectionEnd, Recorder } from "./recorder.ts";
import { relay } from "./tcp-relay.ts";
import { readToldHost } from "./told-host.ts";
import { type Connect, dialPlaintext, UpstreamConnectError } from "./upstream-dialer.ts";

export interface CapturedCallsOptions {
  readonly compiled: Watched<CompiledView>;
  readonly connect: Connect;
  /** Serves a connection to a destination of the mesh. */
  readonly known: (socket: Socket, call: OutboundCall & { readonly via: DestinationName }) => void;
  /** Answers requests, where only an answer can say what is wrong. */
  readonly requests: (socket: Socket, call: OutboundCall, framing: HttpFraming) => void;
  readonly recorder: Recorder;
  readonly log: Log;
}

/** A client that waits to be greeted is refused without a word from it. */
const GREETING_MS = 300;
const NOTHING = Buffer.alloc(0);

export class CapturedCalls {
  readonly #options: CapturedCallsOptions;
  constructor(options: CapturedCallsOptions) {
    this.#options = options;
  }

  serve(socket: Socket, captured: CapturedConnection): void {
    const { addresses } = this.#options.compiled.current;
    const via = addresses.find(captured.local);
    if (via !== undefined) {
      this.#serveKnown(socket, captured, via);
      return;
    }
    const served = this.#tells(captured.local.port)
      ? this.#serveTold(socket, captured)
      : this.#serveUnknown(socket, captured);
    served.catch((error: unknown) => {
      this.#options.log.error("outbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  /** Whether what is said on a connection to that port could tell where it is to go. */
  #tells(port: number): boolean {
    const { told, routes } = this.#options.compiled.current;
    return told.tells(port) || (routes !== undefined && told.carriesRequests(port));
  }

  #serveKnown(socket: Socket, captured: CapturedConnection, via: DestinationName): void {
    const facts = captureFacts(captured, outboundCluster(via));
    this.#options.known(socket, { facts, via, captured: true });
  }

  #serveUnknown(
    socket: Socket,
    captured: CapturedConnection,
    head: Buffer = NOTHING,
  ): Promise<void> {
    return this.#mayPass ? this.#pass(socket, captured, head) : this.#refuse(socket, captured);
  }

  /** What the client says first may name a host of a ServiceEntry; each request is asked for its own, later. */
  async #serveTold(socket: Socket, captured: CapturedConnection): Promise<void> {
    const { port } = captured.local;
    const said = await readToldHost(socket);
    const { told, routes } = this.#options.compiled.current;
    if (said.kind === "gone") {
      socket.destroy();
      return;
    }
    if (said.kind === "tls" && said.serverName !== undefined) {
      const { serverName } = said;
      const destination = told.ofServerName(port, serverName);
      if (destination !== undefined) {
        const { host, servicePort } = destination;
        const only = goesAsCalled(destination) ? { only: captured.local } : {};
        return this.#serveKnown(socket, captured, { host, servicePort, ...only });
      }
    }
    const isTold =
      said.kind === "requests" &&
      (said.host === undefined ||
        told.ofHost(port, said.host) !== undefined ||
        routes?.hostOf(said.host) !== undefined);
    if (said.kind === "requests" && (isTold || !this.#mayPass)) {
      const facts = captureFacts(captured, BLACK_HOLE);
      this.#options.requests(socket, { facts, via: "unknown", captured: true }, said.framing);
      return;
    }
    await this.#serveUnknown(socket, captured, said.kind === "bytes" ? said.head : NOTHING);
  }

  get #mayPass(): boolean {
    const { view } = this.#options.compiled.current;
    return view.interception?.unknownDestinations === "ALLOW_ANY";
  }

  async #pass(socket: Socket, captured: CapturedConnection, head: Buffer): Promise<void> {
    const { recorder } = this.#options;
    const facts = captureFacts(captured, PASSTHROUGH);
    const end = await this.#relay(socket, facts, head);
    recorder.connectionClosed(facts, { ...end, target: facts.local });
  }

  async #relay(socket: Socket, facts: CallFacts, head: Buffer): Promise<ConnectionEnd> {
    const { recorder, connect } = this.#options;
    try {
      const upstream = await dialPlaintext(facts.local, connect);
      recorder.connectionOpened(facts, upstream);
      const { received, sent } = await relay(socket, upstream.socket, { head });
      return { flags: "-", bytesReceived: received, bytesSent: sent, ends: upstream };
    } catch (error) {
      if (!(error instanceof UpstreamConnectError)) throw error;
      socket.destroy();
      recorder.connectionOpened(facts);
      return { flags: "UF", bytesReceived: 0, bytesSent: 0, transportFailure: error.reason };
    }
  }

  async #refuse(socket: Socket, captured: CapturedConnection): Promise<void> {
    const facts = captureFacts(captured, BLACK_HOLE);
    const first = await readFirstBytes(socket, {
      detect: detectHttp,
      silenceMs: GREETING_MS,
      onSilence: "close",
    });
    const kind = first?.head.length === 0 ? first.detected.kind : "tcp";
    if (kind === "http" || kind === "http2") {
      const framing = kind === "http" ? "HTTP/1" : "HTTP/2";
      this.#options.requests(socket, { facts, via: "unknown", captured: true }, framing);
      return;
    }
    socket.destroy();
    this.#options.recorder.connectionRefused(facts, UNKNOWN_DESTINATION);
  }
}

function captureFacts(
  { acceptedAt, remote, local }: CapturedConnection,
  cluster: string,
): CallFacts {
  return { reporter: "source", startedAt: acceptedAt, remote, local, cluster };
}
