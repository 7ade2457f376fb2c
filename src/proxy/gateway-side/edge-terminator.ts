/**
 * Ends the TLS of clients of a gateway, with the certificates that its servers show. A context is made once for each server
 * as it is configured: a view that changes something else changes nothing here, and one that brings another certificate
 * holds for handshakes from then on. Without tickets, as everywhere, each connection stands on its own handshake.
 */
import { constants, createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";
import type { GatewayTls } from "../../policy/gateway-view.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { TLS_GROUPS } from "../../runtime/tls-groups.ts";
import { AcceptedHandshakes } from "../accepted-handshakes.ts";
import type { PresentedCertificate } from "../peer.ts";
import { TLS_1_3_CIPHERS, TLS_CIPHERS } from "../tls-context.ts";
import { clientProblem, presentedCertificate } from "./client-certificate.ts";

export type EdgeTermination =
  | { readonly socket: TLSSocket; readonly certificate: PresentedCertificate | undefined }
  | { readonly problem: string };

/** What a connection is for: it decides what is agreed on by ALPN. */
export type EdgeTraffic = "http" | "stream";

export interface EdgeHandshake {
  readonly tls: GatewayTls;
  readonly traffic: EdgeTraffic;
  /** The ALPN names of the ClientHello. */
  readonly offered: readonly string[];
}

const HTTP_PROTOCOLS: readonly string[] = ["h2", "http/1.1"];

/** A client that knows neither name is served without one, as by Envoy: from a list, Node would send it an alert. */
function agreeing(traffic: EdgeTraffic, offered: readonly string[]): EdgeTraffic {
  return offered.some((name) => HTTP_PROTOCOLS.includes(name)) ? traffic : "stream";
}

/** By which a server is the same one in the next view. */
export type EdgeServerKey = string;

export function edgeServerKey(tls: GatewayTls, traffic: EdgeTraffic): EdgeServerKey {
  return createHash("sha256")
    .update(JSON.stringify([traffic, tls]))
    .digest("base64");
}

export class EdgeTerminator {
  readonly #handshakes = new AcceptedHandshakes();
  readonly #servers = new Map<EdgeServerKey, Server | { readonly problem: string }>();

  /** Those of older views are forgotten; handshakes that have begun with them end as they began. */
  retainOnly(keys: ReadonlySet<EdgeServerKey>): void {
    for (const key of this.#servers.keys()) if (!keys.has(key)) this.#servers.delete(key);
  }

  /** Why no handshake of this server can succeed; undefined: nothing is known against it. */
  problemOf(tls: GatewayTls, traffic: EdgeTraffic): string | undefined {
    const server = this.#serverOf(tls, traffic);
    return "problem" in server ? server.problem : undefined;
  }

  /** @param raw with its ClientHello still unread; with a problem as outcome it is destroyed already */
  async terminate(raw: Socket, { tls, traffic, offered }: EdgeHandshake): Promise<EdgeTermination> {
    const server = this.#serverOf(tls, agreeing(traffic, offered));
    if ("problem" in server) {
      raw.destroy();
      return server;
    }
    const outcome = await this.#handshakes.handshake(raw, server);
    if (outcome instanceof Error) {
      raw.destroy();
      return { problem: describeError(outcome) };
    }
    // Whoever serves the connection hears of its errors too; without anybody a reset would end the process.
    outcome.on("error", () => outcome.destroy());
    const certificate = presentedCertificate(outcome);
    const problem = clientProblem(outcome, {
      mode: tls.mode,
      trust: tls.clientTrust,
      certificate,
    });
    if (problem === undefined) return { socket: outcome, certificate };
    outcome.destroy();
    return { problem };
  }

  #serverOf(tls: GatewayTls, traffic: EdgeTraffic): Server | { readonly problem: string } {
    if (tls.problem !== undefined) return { problem: tls.problem };
    const key = edgeServerKey(tls, traffic);
    let server = this.#servers.get(key);
    if (server === undefined) {
      server = this.#make(tls, traffic);
      this.#servers.set(key, server);
    }
    return server;
  }

  #make(tls: GatewayTls, traffic: EdgeTraffic): Server | { readonly problem: string } {
    try {
      return this.#handshakes.server({
        ...contextOptions(tls),
        ...(traffic === "http" && { ALPNProtocols: [...HTTP_PROTOCOLS] }),
        requestCert: tls.clientTrust !== undefined,
        // `clientProblem` refuses, before anything is read, and can say why: Node would cut off without a word.
        rejectUnauthorized: false,
      });
    } catch (error) {
      return { problem: `its TLS settings cannot be used: ${describeError(error)}` };
    }
  }
}

function contextOptions(tls: GatewayTls): SecureContextOptions {
  const { certificates, clientTrust, minVersion, maxVersion, cipherSuites, ecdhCurves } = tls;
  return {
    cert: certificates.map(({ chainPem }) => chainPem),
    key: certificates.map(({ keyPem }) => keyPem),
    ...(clientTrust && { ca: clientTrust.authoritiesPem }),
    ...(clientTrust?.crlPem !== undefined && { crl: clientTrust.crlPem }),
    minVersion,
    maxVersion,
    ciphers:
      cipherSuites.length === 0 ? TLS_CIPHERS : [...TLS_1_3_CIPHERS, ...cipherSuites].join(":"),
    ecdhCurve: ecdhCurves.length === 0 ? TLS_GROUPS : ecdhCurves.join(":"),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
