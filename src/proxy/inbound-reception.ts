/**
 * Receives inbound connections: finds out what a client speaks, demands the identity that the port's mode demands, and
 * hands the connection to the HTTP or the TCP side. Whatever is refused is refused before the application hears of it.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Reason } from "../policy/decision.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { AcceptedConnection } from "./accepted-connection.ts";
import {
  type CertificateDeadlines,
  IDLE_CALLEE_RESERVE,
  LAST_ANSWER_RESERVE,
} from "./certificate-deadlines.ts";
import type { CompiledView } from "./compiled-view.ts";
import {
  chooseFilterChain,
  detectorFor,
  type FilterChain,
  type PortSettings,
} from "./filter-chain.ts";
import {
  type FirstBytes,
  type FirstBytesOptions,
  readFirstBytes,
  readHttpFraming,
} from "./first-bytes.ts";
import type { HttpServer } from "./http/http-server.ts";
import { type InboundCall, inboundCluster, tellOpened } from "./inbound-call.ts";
import type { Carried, InboundCarrier } from "./inbound-carrier.ts";
import type { ServedPort } from "./inbound-ports.ts";
import { type HttpFraming, negotiatedFraming } from "./mesh-protocols.ts";
import type { MutualTlsTerminator, Verified } from "./mutual-tls-terminator.ts";
import { refusalByLimits } from "./rate-limits/connection-limits.ts";
import type { Recorder } from "./recorder.ts";
import { admissionRefusal } from "./refusal-today.ts";

export interface InboundServices {
  readonly compiled: Watched<CompiledView>;
  readonly terminator: MutualTlsTerminator;
  readonly deadlines: CertificateDeadlines;
  readonly http: Pick<HttpServer<InboundCall>, "accept" | "retire">;
  readonly carrier: Pick<InboundCarrier, "carry">;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

/** A connection that was accepted. */
export interface InboundArrival {
  readonly accepted: AcceptedConnection;
  /** The port that was called, as the newest view has it. */
  readonly port: () => ServedPort;
  /** See `Listener`. */
  readonly expectFirstByte: () => () => void;
}

/** A mesh client speaks first, and at once. */
const HANDSHAKE_BEGINS_MS = 10_000;
/** As long as a connection between requests may stand idle. */
const SILENCE_MS = 300_000;

export class InboundReception {
  readonly #services: InboundServices;

  constructor(services: InboundServices) {
    this.#services = services;
  }

  /** Settles nothing: a connection that fails is destroyed and told. */
  receive(socket: Socket, arrival: InboundArrival): void {
    this.#detect(socket, arrival).catch((error: unknown) => {
      this.#services.log.error("inbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  async #detect(socket: Socket, arrival: InboundArrival): Promise<void> {
    const spoken = arrival.expectFirstByte();
    const port = arrival.port();
    const settings = { mode: port.mutualTls.mode, protocol: port.protocol };
    const options = firstBytesOptions(settings);
    const first = options === undefined ? UNREAD : await readFirstBytes(socket, options);
    spoken();
    if (first === undefined) {
      socket.destroy();
      return;
    }
    const chain = chooseFilterChain(settings, first.detected);
    await this.#follow(chain, { ...arrival, socket, first });
  }

  async #follow(chain: FilterChain, arrival: Arrival): Promise<void> {
    const { socket, first } = arrival;
    const serverName = first.detected.kind === "tls" ? first.detected.hello.serverName : undefined;
    const plain = this.#call(arrival, { serverName });
    if ("refuse" in chain) {
      const reason = refusalOf(chain.refuse, arrival.port());
      this.#refuse(socket, plain, notAdmitted(plain) ?? reason);
    } else if (chain.transport === "mutual-tls" && first.detected.kind === "tls") {
      const offered = first.detected.hello.applicationProtocols;
      const termination = await this.#services.terminator.terminate(socket, {
        offered,
        serve: chain.serve,
      });
      if ("problem" in termination) {
        const { problem } = termination;
        this.#refuse(socket, plain, { because: "peer-not-verified", problem });
      } else {
        await this.#enter(chain.serve, { arrival, serverName, termination });
      }
    } else {
      const carried = { socket, call: plain, head: first.head };
      await this.#carry("http" in chain ? chain.http : "tcp", carried);
    }
  }

  async #enter(serve: "http" | "tcp", entered: Entered): Promise<void> {
    const { arrival, serverName, termination } = entered;
    const { socket } = termination;
    const negotiated = socket.alpnProtocol || undefined;
    const call = this.#call(arrival, { serverName, verified: termination, negotiated });
    const carried = { socket, call, head: arrival.first.head };
    if (serve === "tcp") return this.#carry("tcp", carried);
    const waiting = { declared: arrival.port().protocol, silenceMs: SILENCE_MS };
    const framing = negotiatedFraming(negotiated) ?? (await readHttpFraming(socket, waiting));
    if (framing === undefined) socket.destroy();
    else await this.#carry(framing, carried);
  }

  #refuse(socket: Socket, { facts }: InboundCall, reason: Reason): void {
    socket.destroy();
    this.#services.recorder.connectionRefused(facts, { verdict: "deny", reason });
  }

  async #carry(serve: HttpFraming | "tcp", carried: Carried): Promise<void> {
    const { carrier, compiled, http, log } = this.#services;
    const { socket, call, head } = carried;
    const reason = notAdmitted(call) ?? this.#revoked(call);
    if (reason !== undefined) {
      this.#refuse(socket, call, reason);
    } else if (serve === "tcp") {
      await carrier.carry(carried);
    } else if (head.length > 0) {
      socket.destroy();
    } else {
      const { connectionLimits } = compiled.current;
      const limited = refusalByLimits(connectionLimits, { socket, connection: call.connection });
      if (limited !== undefined) return this.#refuse(socket, call, limited);
      tellOpened(call, { log, protocol: serve });
      http.accept(socket, this.#withDeadline(socket, call), serve);
    }
  }

  #revoked({ peer }: InboundCall): Reason | undefined {
    const { compiled, clock } = this.#services;
    const problem = peer && compiled.current.roots.revocationOf(peer, clock.now());
    return problem === undefined ? undefined : { because: "peer-not-verified", problem };
  }

  #withDeadline(socket: Socket, call: InboundCall): InboundCall {
    if (call.ends === undefined) return call;
    const { deadlines, http } = this.#services;
    const forget = deadlines.watch(call.ends, IDLE_CALLEE_RESERVE, () => http.retire(socket));
    socket.once("close", forget);
    return { ...call, lastAnswerFrom: deadlines.timeOf(call.ends, LAST_ANSWER_RESERVE) };
  }

  #call(
    { accepted: { acceptedAt, remote, local }, port }: InboundArrival,
    { serverName, verified, negotiated }: Handshake,
  ): InboundCall {
    const { identity } = this.#services.compiled.current.view.workload;
    const peer = verified?.peer;
    const name = serverName === undefined ? {} : { serverName };
    const connection = {
      sourceAddress: remote.address,
      sourcePort: remote.port,
      destinationAddress: local.address,
      destinationPort: port().containerPort,
      ...name,
      ...(peer && { principal: peer.id }),
    };
    return {
      peer,
      rootsPem: verified?.rootsPem ?? [],
      ...(verified && { ends: verified.ends }),
      ...(negotiated !== undefined && { negotiated }),
      port,
      facts: {
        reporter: "destination",
        startedAt: acceptedAt,
        remote,
        local,
        cluster: inboundCluster(port()),
        ...name,
        ...(peer && { identities: { source: peer, destination: identity } }),
      },
      connection,
    };
  }
}

/** What a ClientHello and what follows it tell. */
interface Handshake {
  readonly serverName: string | undefined;
  readonly verified?: Verified;
  readonly negotiated?: string | undefined;
}

interface Entered {
  readonly arrival: Arrival;
  readonly serverName: string | undefined;
  readonly termination: Verified & { readonly socket: TLSSocket };
}

interface Arrival extends InboundArrival {
  readonly socket: Socket;
  readonly first: FirstBytes;
}

function notAdmitted(call: InboundCall): Reason | undefined {
  return admissionRefusal(call.peer, call.port().admission);
}

function refusalOf(
  refused: "plaintext-refused" | "tls-refused" | "no-mesh-protocol",
  { mutualTls: { origin } }: ServedPort,
): Reason {
  if (refused !== "no-mesh-protocol") return { because: refused, origin };
  return { because: "peer-not-verified", problem: "TLS that offers no protocol of the mesh" };
}

/** PA-41, with limits where no client is kept waiting by them. */
function firstBytesOptions(settings: PortSettings): FirstBytesOptions | undefined {
  const detect = detectorFor(settings);
  if (detect === undefined || settings.mode !== "STRICT") return detect && { detect };
  return { detect, silenceMs: HANDSHAKE_BEGINS_MS, onSilence: "close" };
}

/** Where nothing is looked into. */
const UNREAD: FirstBytes = { detected: { kind: "tcp" }, head: Buffer.alloc(0) };
