/** Opens connections to applications and to other sidecars. Never resumes a TLS session: Node would not verify it. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Trust } from "../policy/workload-view.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { lookUpToConnect } from "./forbidden-addresses.ts";
import { type Peer, PeerNotVerifiedError, verifyCallee } from "./peer.ts";

/** As Istio's default; TCP and TLS together. */
const CONNECT_MS = 10_000;
/** How long the end of a handshake may take that has failed. */
const FAREWELL_MS = 1_000;

/** Who we were and whom we verified, on one mutual TLS connection. */
export interface MutualTlsEnds {
  readonly own: { readonly id: SpiffeId; readonly serialNumber: string; readonly notAfter: Date };
  readonly peer: Peer;
}

export interface UpstreamEnds {
  /** Our end. */
  readonly local: SocketAddress;
  /** Absent on plaintext. */
  readonly mutualTls?: MutualTlsEnds;
}

/** A connection that can carry data now. */
export interface Upstream extends UpstreamEnds {
  readonly socket: Socket;
  /** What the callee chose by ALPN; absent when it chose nothing. */
  readonly applicationProtocol?: string;
}

/** How to reach one endpoint by mutual TLS. */
export interface MutualTlsDial {
  readonly own: MutualTlsEnds["own"];
  readonly secureContext: SecureContext;
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
  readonly trust: Trust;
  /** Whom the callee may be; none is any of the trust domain. */
  readonly identities: readonly SpiffeId[];
  /** What else speaks against a callee whose certificate leads to a trusted root. */
  readonly problemOf: (peer: Peer) => string | undefined;
  readonly connect?: Connect | undefined;
  /** For TCP and TLS together. */
  readonly connectMs?: number | undefined;
}

/** No connection, and so no byte was sent: another endpoint may be tried. */
export class UpstreamConnectError extends HauberkError {
  readonly code = "HAUBERK_UPSTREAM_CONNECT";
  readonly failed: "tcp" | "tls";
  /** "soon": nobody answered, as while a program is being restarted. "none": whoever answered is the wrong one, or hangs. */
  readonly prospect: "soon" | "none";
  /** "here": we have no descriptor, port or memory left for another connection, which says nothing of the callee. */
  readonly fault: "here" | "there";
  constructor(failed: "tcp" | "tls", cause: unknown) {
    super(failed === "tcp" ? "no connection" : "no mutual TLS", { cause });
    this.failed = failed;
    this.fault = hasCode(cause, SHORTAGES) ? "here" : "there";
    this.prospect = this.fault === "here" || hasCode(cause, ABSENCES) ? "soon" : "none";
  }
  /** For the access log's `upstream_transport_failure_reason`. */
  get reason(): string {
    return `${this.failed === "tls" ? "TLS_error: " : ""}${describeError(this.cause)}`;
  }
}

/** Of connections that the other end refused, or left before the handshake was over. */
const ABSENCES: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

const SHORTAGES: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
]);

function hasCode(cause: unknown, codes: ReadonlySet<string>): boolean {
  if (!(cause instanceof Error)) return false;
  return "code" in cause && typeof cause.code === "string" && codes.has(cause.code);
}

/** Begins to connect; a sidecar that intercepts has its own way, by which its connections are told from others. */
export type Connect = (to: SocketAddress) => Socket;

export const connectDirectly: Connect = ({ address, port }) =>
  connectTcp({
    host: address,
    port,
    lookup: lookUpToConnect,
    allowHalfOpen: true,
    noDelay: true,
  });

/** @throws UpstreamConnectError */
export async function dialPlaintext(
  to: SocketAddress,
  connect: Connect = connectDirectly,
  connectMs: number = CONNECT_MS,
): Promise<Upstream> {
  const socket = await connected(to, { connect, connectMs });
  return { socket, local: localEnd(socket) };
}

/** @throws UpstreamConnectError, also when the callee is not who it must be */
export async function dialMutualTls(
  to: SocketAddress,
  {
    own,
    secureContext,
    serverName,
    applicationProtocols,
    trust,
    identities,
    problemOf,
    connect = connectDirectly,
    connectMs = CONNECT_MS,
  }: MutualTlsDial,
): Promise<Upstream> {
  return dialTls(to, {
    connect,
    connectMs,
    start: (socket) =>
      connectTls({
        socket,
        servername: serverName,
        secureContext,
        ALPNProtocols: [...applicationProtocols],
        // `accept` refuses, before a byte is sent, and can say why: a callee is known by its identity, not by a host name.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      }),
    accept: (socket) => {
      const peer = verifyCallee(socket, { trust, identities });
      const problem = problemOf(peer);
      if (problem !== undefined) throw new PeerNotVerifiedError(problem);
      return { own, peer };
    },
  });
}

/** How TLS comes about on a new connection. */
export interface TlsDial {
  readonly connect: Connect;
  /** For TCP and TLS together. */
  readonly connectMs: number;
  /** Begins the handshake. */
  readonly start: (socket: Socket) => TLSSocket;
  /** Once it is over; what is thrown refuses the callee. @returns undefined of a callee that is not of the mesh */
  readonly accept: (socket: TLSSocket) => MutualTlsEnds | undefined;
}

/** @throws UpstreamConnectError */
export async function dialTls(
  to: SocketAddress,
  { connect, connectMs, start, accept }: TlsDial,
): Promise<Upstream> {
  const begunAt = performance.now();
  const raw = await connected(to, { connect, connectMs });
  // Once TLS has taken it over, its errors come from there; without a listener one would end the process.
  raw.on("error", () => raw.destroy());
  const socket = start(raw);
  const timeoutMs = Math.max(1, connectMs - (performance.now() - begunAt));
  return established(socket, {
    event: "secureConnect",
    timeoutMs,
    connectMs,
    accept: () => {
      const mutualTls = accept(socket);
      const { alpnProtocol } = socket;
      return {
        socket,
        local: localEnd(socket),
        ...(mutualTls && { mutualTls }),
        ...(alpnProtocol && { applicationProtocol: alpnProtocol }),
      };
    },
  });
}

async function connected(
  to: SocketAddress,
  { connect, connectMs }: { readonly connect: Connect; readonly connectMs: number },
): Promise<Socket> {
  let socket: Socket;
  try {
    socket = connect(to);
  } catch (cause) {
    throw new UpstreamConnectError("tcp", cause);
  }
  const timing = { timeoutMs: connectMs, connectMs };
  return established(socket, { event: "connect", ...timing, accept: () => socket });
}

function localEnd({ localAddress, localPort }: Socket): SocketAddress {
  return { address: localAddress ?? "", port: localPort ?? 0 };
}

function established<T>(
  socket: Socket,
  { event, timeoutMs, connectMs, accept }: Expected<T>,
): Promise<T> {
  const failed = event === "connect" ? "tcp" : "tls";
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      socket.destroy();
      reject(new UpstreamConnectError(failed, cause));
    };
    const onClose = (): void =>
      fail(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
    const onTimeout = (): void => fail(new Error(`not there after ${connectMs} ms`));
    socket.setTimeout(timeoutMs, onTimeout).once("error", fail).once("close", onClose);
    socket.once(event, () => {
      try {
        const accepted = accept();
        socket.setTimeout(0).off("timeout", onTimeout).off("error", fail).off("close", onClose);
        resolve(accepted);
      } catch (error) {
        reject(new UpstreamConnectError(failed, error));
        leave(socket);
      }
    });
  });
}

/** Our end of the handshake still goes out: so the callee, too, can say whom it met. */
function leave(socket: Socket): void {
  socket.setTimeout(FAREWELL_MS, () => socket.destroy());
  socket.destroySoon();
}

interface Expected<T> {
  readonly event: "connect" | "secureConnect";
  /** What is left of `connectMs`. */
  readonly timeoutMs: number;
  readonly connectMs: number;
  readonly accept: () => T;
}
