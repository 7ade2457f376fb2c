/**
 * Ends mutual TLS on connections that somebody else accepted. A client that cannot be verified is cut off by us and not
 * by Node, so that the reason can be recorded; nothing it sent is read.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { describeError } from "../runtime/hauberk-error.ts";
import { firstEnd, type Peer, verifyPeer } from "./peer.ts";
import { servedCertificate } from "./served-certificate.ts";
import { type MeshCredentials, serverContextOptions } from "./tls-context.ts";

const HANDSHAKE_MS = 10_000;
/** The one protocol we choose from a client's list; a client without it gets none, and no alert (TLS-2). */
const HTTP_1_1 = "http/1.1";

/** Who is at the other end, and by which roots that was found. */
export interface Verified {
  readonly peer: Peer;
  readonly rootsPem: readonly string[];
  /** When the first certificate of the connection does, ours or the peer's. */
  readonly ends: Date;
}

export type Termination =
  | (Verified & { readonly socket: TLSSocket })
  | { readonly problem: string };

export class MutualTlsTerminator {
  readonly #withAlpn: Server;
  readonly #withoutAlpn: Server;
  readonly #pending = new Map<string, (termination: TLSSocket | Error) => void>();
  #credentials: MeshCredentials;

  constructor(credentials: MeshCredentials) {
    this.#credentials = credentials;
    this.#withAlpn = this.#server({ ALPNProtocols: [HTTP_1_1] });
    this.#withoutAlpn = this.#server({});
  }

  /** For handshakes from now on; connections that stand are not touched. */
  setCredentials(credentials: MeshCredentials): void {
    this.#credentials = credentials;
    for (const server of [this.#withAlpn, this.#withoutAlpn]) {
      server.setSecureContext(serverContextOptions(credentials));
    }
  }

  /** What a caller is shown now, found out by calling. */
  served(): Promise<X509Certificate | undefined> {
    return servedCertificate(this.#withAlpn);
  }

  /**
   * Hands over `raw`, which must have its ClientHello still unread. With a problem as outcome the connection is
   * already destroyed.
   *
   * @param offered the ALPN names of the ClientHello
   */
  async terminate(raw: Socket, offered: readonly string[]): Promise<Termination> {
    const { svid, trust } = this.#credentials;
    const outcome = await this.#handshake(
      raw,
      offered.includes(HTTP_1_1) ? this.#withAlpn : this.#withoutAlpn,
    );
    if (outcome instanceof Error) {
      raw.destroy();
      return { problem: describeError(outcome) };
    }
    // Whoever serves the connection hears of its errors too; without anybody a reset would end the process.
    outcome.on("error", () => outcome.destroy());
    try {
      const peer = verifyPeer(outcome, this.#credentials.trust);
      return { peer, rootsPem: trust.rootsPem, ends: firstEnd(svid, peer), socket: outcome };
    } catch (error) {
      outcome.destroy();
      return { problem: describeError(error) };
    }
  }

  #handshake(raw: Socket, server: Server): Promise<TLSSocket | Error> {
    const key = connectionKey(raw);
    if (key === undefined) return Promise.resolve(new Error("the client left"));
    return new Promise((resolve) => {
      const onClose = (): void => settle(new Error("the client left during the handshake"));
      const settle = (outcome: TLSSocket | Error): void => {
        this.#pending.delete(key);
        raw.off("close", onClose);
        resolve(outcome);
      };
      raw.once("close", onClose);
      this.#pending.set(key, settle);
      server.emit("connection", raw);
    });
  }

  #server(alpn: TlsOptions): Server {
    const server = createServer({
      ...serverContextOptions(this.#credentials),
      ...alpn,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on("secureConnection", (socket) => this.#settle(socket, socket));
    server.on("tlsClientError", (error, socket) => {
      this.#settle(socket, error);
      socket.destroy();
    });
    return server;
  }

  #settle(socket: TLSSocket, outcome: TLSSocket | Error): void {
    const key = connectionKey(socket);
    const settle = key === undefined ? undefined : this.#pending.get(key);
    if (settle === undefined) socket.destroy();
    else settle(outcome);
  }
}

/** The TLS socket and the one below it have nothing in common but their ends. */
function connectionKey(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
