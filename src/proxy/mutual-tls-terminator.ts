/**
 * Ends mutual TLS on connections that somebody else accepted. A client that cannot be verified is cut off by us and not
 * by Node, so that the reason can be recorded; nothing it sent is read.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { SecureContextOptions, Server, TLSSocket, TlsOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { describeError } from "../runtime/hauberk-error.ts";
import { AcceptedHandshakes } from "./accepted-handshakes.ts";
import { CHOSEN_PROTOCOLS } from "./mesh-protocols.ts";
import { firstEnd, type Peer, verifyPeer } from "./peer.ts";
import { servedCertificate } from "./served-certificate.ts";
import { type MeshCredentials, serverContextOptions } from "./tls-context.ts";

/** Who is at the other end, and by which roots that was found. */
export interface Verified {
  readonly peer: Peer;
  readonly rootsPem: readonly string[];
  /** When the first certificate of the connection does, ours or the peer's. */
  readonly ends: Date;
}

export interface TerminationOptions {
  /** The ALPN names of the ClientHello. */
  readonly offered: readonly string[];
  /** What the connection is for: by which list a name is chosen. */
  readonly serve: "http" | "tcp";
}

/** Which name was chosen, `socket.alpnProtocol` tells; see `negotiatedFraming`. */
export type Termination =
  | (Verified & { readonly socket: TLSSocket })
  | { readonly problem: string };

export class MutualTlsTerminator {
  /** By what they choose; "nothing" is for clients that offer none of it: from a list, Node would send them an alert. */
  readonly #servers: Readonly<Record<"http" | "tcp" | "nothing", Server>>;
  readonly #handshakes = new AcceptedHandshakes();
  #credentials: MeshCredentials;
  /** What all servers' contexts are made of; undefined while they may differ. */
  #context: SecureContextOptions | undefined;

  constructor(credentials: MeshCredentials) {
    this.#credentials = credentials;
    this.#context = serverContextOptions(credentials);
    this.#servers = {
      http: this.#server({ ALPNProtocols: [...CHOSEN_PROTOCOLS.http] }),
      tcp: this.#server({ ALPNProtocols: [...CHOSEN_PROTOCOLS.tcp] }),
      nothing: this.#server({}),
    };
  }

  /** For handshakes from now on; connections that stand are not touched. */
  setCredentials(credentials: MeshCredentials): void {
    this.#credentials = credentials;
    const context = serverContextOptions(credentials);
    // Views change more often than what TLS takes of them, and a context holds 30 KiB that no collector knows of.
    if (isDeepStrictEqual(context, this.#context)) return;
    this.#context = undefined; // one of them may refuse it, and then the old one has to be set anew
    for (const server of Object.values(this.#servers)) server.setSecureContext(context);
    this.#context = context;
  }

  /** What a caller is shown now, found out by calling. */
  served(): Promise<X509Certificate | undefined> {
    return servedCertificate(this.#servers.http);
  }

  /**
   * Hands over `raw`, which must have its ClientHello still unread. With a problem as outcome the connection is
   * already destroyed.
   */
  async terminate(raw: Socket, { offered, serve }: TerminationOptions): Promise<Termination> {
    const { svid, trust } = this.#credentials;
    const chooses = CHOSEN_PROTOCOLS[serve].some((name) => offered.includes(name));
    const outcome = await this.#handshakes.handshake(
      raw,
      this.#servers[chooses ? serve : "nothing"],
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

  #server(alpn: TlsOptions): Server {
    return this.#handshakes.server({
      ...this.#context,
      ...alpn,
      requestCert: true,
      rejectUnauthorized: false,
    });
  }
}
