/** Opens connections to servers that are not of the mesh, by TLS as a DestinationRule says, and believes nobody else. */
import { isIP } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { TlsOrigination } from "../../policy/tls-origination.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { CallContent } from "../mesh-protocols.ts";
import { PeerNotVerifiedError } from "../peer.ts";
import { type Connect, dialTls, type Upstream, UpstreamConnectError } from "../upstream-dialer.ts";
import type { Originations } from "./originations.ts";
import { serverNameProblem } from "./server-names.ts";

/** What is offered by ALPN: whoever is called by HTTP/2 must agree to it. */
const OFFERED: Readonly<Record<CallContent, readonly string[]>> = {
  "HTTP/1.1": ["http/1.1"],
  "HTTP/2": ["h2"],
  upgrade: ["http/1.1"],
  tcp: [],
};

export interface OriginatedDial {
  readonly origination: TlsOrigination;
  /** The host that is called. */
  readonly host: string;
  readonly content: CallContent;
  readonly originations: Originations;
  readonly connect: Connect;
  readonly connectMs: number;
}

/** @throws UpstreamConnectError, also when the server is not who it must be */
export async function dialOriginated(
  to: SocketAddress,
  { origination, host, content, originations, connect, connectMs }: OriginatedDial,
): Promise<Upstream> {
  let secureContext: SecureContext;
  try {
    secureContext = await originations.contextOf(origination);
  } catch (cause) {
    throw new UpstreamConnectError("tls", cause);
  }
  const serverName = origination.sni ?? host;
  return dialTls(to, {
    connect,
    connectMs,
    start: (socket) =>
      connectTls({
        socket,
        ...(isName(serverName) && { servername: serverName }),
        secureContext,
        ALPNProtocols: [...OFFERED[content]],
        // `accept` refuses, before a byte is sent, and can say why.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      }),
    accept: (socket) => {
      verifyServer(socket, { origination, host });
      return undefined;
    },
  });
}

/** An address is no server name (RFC 6066 section 3), nor is a wildcard. */
function isName(text: string): boolean {
  return isIP(text) === 0 && !text.startsWith("*");
}

/** @throws PeerNotVerifiedError */
function verifyServer(
  socket: TLSSocket,
  { origination, host }: Pick<OriginatedDial, "origination" | "host">,
): void {
  const { verification, subjectAltNames } = origination;
  if (verification === "nothing") return;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new PeerNotVerifiedError("no certificate was presented");
  if (socket.isSessionReused()) throw new PeerNotVerifiedError("the session was resumed");
  if (!socket.authorized) {
    throw new PeerNotVerifiedError(`the certificate is not trusted: ${socket.authorizationError}`);
  }
  if (verification === "authority") return;
  // Of a wildcard nobody has said which name is meant: then no certificate will do.
  const called = host.startsWith("*") ? [] : [host];
  const problem = serverNameProblem(certificate, subjectAltNames ?? called);
  if (problem !== undefined) throw new PeerNotVerifiedError(problem);
}
