/** A sidecar before an application that tells what it was sent, asked byte by byte: what attackers write is no client's to tidy. */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import { freePort } from "./free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "./sidecar-fixture.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const mesh = createThrowawayAuthority();
/** Of the mesh, as other sidecars have one. */
export const FRONTEND: X509Svid = mesh.svid(idOf("frontend"));

export interface EchoedRequest {
  readonly url: string;
  /** In pairs, as they came. */
  readonly headers: readonly string[];
  readonly trailers: readonly string[];
  readonly body: string;
}

export interface Answered {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
}

export interface EchoingSidecar extends TestSidecar {
  /** What reached the application. */
  readonly reached: readonly EchoedRequest[];
  /** Sends one request as it is written, and reads until the connection ends; by mutual TLS where `as` is given. */
  send(request: string, as?: X509Svid): Promise<Answered>;
  close(): Promise<void>;
}

export async function echoingSidecar(options: Partial<ViewOptions> = {}): Promise<EchoingSidecar> {
  const reached: EchoedRequest[] = [];
  const application = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { url = "", rawHeaders: headers, rawTrailers: trailers } = request;
    reached.push({ url, headers, trailers, body });
    response.end("reached");
  });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const ports = [
    inboundPort({ listen: port, application: portOf(application), mode: "PERMISSIVE" }),
  ];
  const view = workloadView({ rootsPem: [mesh.rootPem], ports, ...options });
  const started = await startTestSidecar({ view, svid: mesh.svid(idOf("api")) });
  const close = async (): Promise<void> => {
    application.closeAllConnections();
    application.close();
    await started.sidecar.close();
  };
  return { ...started, reached, close, send: (request, as) => send(request, dial(port, as)) };
}

function dial(port: number, as: X509Svid | undefined): Socket {
  if (as === undefined) return connect(port, LOOPBACK);
  return connectTls({
    host: LOOPBACK,
    port,
    cert: as.certificateChainPem,
    key: as.privateKeyPem,
    ca: mesh.rootPem,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ["istio-http/1.1"],
  });
}

async function send(request: string, socket: Socket): Promise<Answered> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => socket.destroy());
  socket.write(request, "latin1");
  await once(socket, "close");
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text };
}
