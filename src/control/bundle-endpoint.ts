/**
 * SPIFFE federation: other trust domains fetch our roots and token keys here, over HTTPS, and verify us by our SPIFFE ID
 * (profile `https_spiffe`). Standard: https://spiffe.io/docs/latest/spiffe-specs/spiffe_federation
 */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { JwtPublicKeys } from "../ca/jwt-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { printSpiffeBundle } from "../identity/spiffe-bundle.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { type ConnectionPlace, ConnectionRoom } from "../runtime/connection-room.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { TLS_GROUPS } from "../runtime/tls-groups.ts";
import type { Watched } from "../runtime/watched.ts";
import type { BundleSequence } from "./bundle-sequence.ts";

/** How often others are asked to look; well below what a new token key is known before it signs. */
const REFRESH_HINT_SECONDS = 60;
/** Beyond it whoever has been idle longest gives way. */
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 8_192;
const TIMEOUT_MS = 10_000;

export interface BundleEndpointOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly svid: Watched<X509Svid>;
  readonly trust: Watched<AuthorityTrust>;
  readonly jwtKeys: Watched<JwtPublicKeys>;
  readonly sequence: Pick<BundleSequence, "of">;
  readonly log: Log;
}

export interface BundleEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startBundleEndpoint(options: BundleEndpointOptions): Promise<BundleEndpoint> {
  const { svid, log } = options;
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: TIMEOUT_MS };
  const room = new ConnectionRoom({ size: MAX_CONNECTIONS });
  const places = new Map<string, ConnectionPlace>();
  const server = createServer(
    {
      ...secureContext(svid.current),
      ...limits,
      requestTimeout: TIMEOUT_MS,
      handshakeTimeout: TIMEOUT_MS,
    },
    (request, response) => {
      const place = places.get(remoteOf(request.socket));
      place?.busy();
      answer(request, { response, ...options })
        .catch((error: unknown) => {
          log.error("the trust bundle was not served", { problem: describeError(error) });
          response.destroy();
        })
        .finally(() => place?.idle());
    },
  );
  server.prependListener("connection", (socket: Socket) => {
    const remote = remoteOf(socket);
    const place = room.enter(socket);
    if (place === undefined) return;
    places.set(remote, place);
    socket.once("close", () => places.get(remote) === place && places.delete(remote));
  });
  const stopWatching = svid.onChange((next) => server.setSecureContext(secureContext(next)));
  const port = await listen(server, options);
  server.on("error", (error) => log.error("listener failed", { error: error.message }));
  return {
    port,
    close: async () => {
      stopWatching();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      room.closeIdleSince(Number.POSITIVE_INFINITY); // handshakes that nobody finishes
      await closed;
    },
  };
}

async function answer(
  { method, url }: IncomingMessage,
  { response, ...options }: BundleEndpointOptions & { readonly response: ServerResponse },
): Promise<void> {
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
  } else if (url !== "/") {
    response.writeHead(404).end();
  } else {
    const body = await currentBundle(options);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    response.writeHead(200, headers).end(method === "HEAD" ? undefined : body);
  }
}

async function currentBundle({ trust, jwtKeys, sequence }: BundleEndpointOptions): Promise<string> {
  const x509Authorities = trust.current.rootsPem.map((pem) => new X509Certificate(pem));
  const content = { x509Authorities, jwtAuthorities: jwtKeys.current };
  const refreshHintSeconds = REFRESH_HINT_SECONDS;
  const number = await sequence.of(
    printSpiffeBundle({ ...content, sequence: undefined, refreshHintSeconds }),
  );
  return printSpiffeBundle({ ...content, refreshHintSeconds, sequence: number });
}

function secureContext(svid: X509Svid): SecureContextOptions {
  return {
    cert: svid.certificateChainPem,
    key: svid.privateKeyPem,
    minVersion: "TLSv1.2",
    ecdhCurve: TLS_GROUPS,
  };
}

async function listen(
  server: Server,
  { host, port }: Pick<BundleEndpointOptions, "host" | "port">,
): Promise<number> {
  try {
    await once(server.listen(port, host), "listening");
  } catch (cause) {
    throw new ListenError(`cannot listen on ${host}:${port}`, { cause });
  }
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : port;
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
