/** One request, or connection, to one workload: by a real client, through a real sidecar with that workload's view, to a real application. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { InboundPort, Outbound, WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import {
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";

/** How the hop's port is spoken to. */
export type HopContent = "http" | "grpc" | "tcp";

export interface Hop {
  readonly view: WorkloadView;
  readonly trustDomain: string;
  readonly containerPort: number;
  readonly content: HopContent;
  /** By its certificate; undefined: in plaintext. */
  readonly caller: SpiffeId | undefined;
  /** What the sidecar itself calls. */
  readonly destinations: Outbound["destinations"];
}

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HopAnswer {
  /** 0: the connection ended. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of gRPC. */
  readonly grpc?: { readonly code: number; readonly message: string };
  /** What the application heard; absent: it was not reached. */
  readonly heard?: IncomingHttpHeaders;
}

export async function carryHop(sent: Sent, hop: Hop): Promise<HopAnswer> {
  const { view, trustDomain, content, caller } = hop;
  const authority = createThrowawayAuthority({ trustDomain });
  const application = await startApplication(content);
  const listen = await freePort();
  const { sidecar } = await startTestSidecar({
    svid: authority.svid(view.workload.identity),
    view: servedView(hop, { listen, application: application.port, rootPem: authority.rootPem }),
  });
  try {
    const svid = caller && authority.svid(caller);
    const dial = (): Socket =>
      svid === undefined
        ? connect({ host: LOOPBACK, port: listen })
        : connectTls({
            ...{ host: LOOPBACK, port: listen, rejectUnauthorized: false },
            ...{ cert: svid.certificateChainPem, key: svid.privateKeyPem },
            ALPNProtocols: [...OFFERED[content]],
          });
    const answer = await SENDERS[content](sent, dial);
    const heard = application.heard();
    return { ...answer, ...(heard && { heard }) };
  } finally {
    await sidecar.close();
    application.close();
  }
}

const OFFERED: Readonly<Record<HopContent, readonly string[]>> = {
  http: ["istio-http/1.1"],
  grpc: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
};

/** The workload's own, but for where it listens, and whom it trusts. */
function servedView(
  { view, containerPort, content, destinations }: Hop,
  {
    listen: port,
    application,
    rootPem,
  }: { readonly listen: number; readonly application: number; readonly rootPem: string },
): WorkloadView {
  const declared = view.inbound.ports.find((one) => one.containerPort === containerPort);
  const ends = inboundPort({ listen: port, application, mode: "PERMISSIVE" });
  const { listen, application: target } = ends;
  const served: InboundPort = {
    ...ends,
    ...declared,
    protocol: protocolOf(declared ?? {}, content),
    containerPort,
    listen,
    application: target,
  };
  const { outbound, ...rest } = workloadView({ rootsPem: [rootPem], destinations });
  return {
    ...rest,
    outbound,
    workload: view.workload,
    trust: { ...view.trust, rootsPem: [rootPem] },
    inbound: { ...view.inbound, ports: [served] },
  };
}

/** The applications here speak HTTP/1, and HTTP/2 for gRPC alone. */
function protocolOf(
  { protocol = "http" }: Partial<InboundPort>,
  content: HopContent,
): InboundPort["protocol"] {
  return protocol === "http2" && content !== "grpc" ? "http" : protocol;
}

interface Application {
  readonly port: number;
  heard(): IncomingHttpHeaders | undefined;
  close(): void;
}

async function startApplication(content: HopContent): Promise<Application> {
  let heard: IncomingHttpHeaders | undefined;
  const note = (headers: IncomingHttpHeaders): void => {
    heard = headers;
  };
  const { server, cut } = APPLICATIONS[content](note);
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const close = (): void => {
    cut();
    server.close();
  };
  return { port: portOf(server), heard: () => heard, close };
}

interface Served {
  readonly server: Server;
  readonly cut: () => void;
}

type Note = (headers: IncomingHttpHeaders) => void;

const APPLICATIONS: Readonly<Record<HopContent, (note: Note) => Served>> = {
  http: (note) => {
    const server = createServer(({ headers }, response) => {
      note(headers);
      response.end("ok");
    });
    return { server, cut: () => server.closeAllConnections() };
  },
  grpc: (note) => {
    const sockets = new Set<Socket>();
    const server = createHttp2Server();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    server.on("stream", (stream, headers) => {
      note(headers);
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
    });
    return { server, cut: () => destroyAll(sockets) };
  },
  tcp: (note) => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        note({});
        socket.end(chunk);
      });
    });
    return { server, cut: () => destroyAll(sockets) };
  },
};

function destroyAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy();
}

type Send = (sent: Sent, dial: () => Socket) => Promise<HopAnswer>;

const SENDERS: Readonly<Record<HopContent, Send>> = {
  http: async ({ method, path, headers }, createConnection) => {
    const outgoing = request({
      method,
      path,
      headers: { ...headers, connection: "close" },
      createConnection,
    });
    outgoing.end();
    const [answer] = await once(outgoing, "response");
    let body = "";
    for await (const chunk of answer) body += chunk;
    return { status: answer.statusCode, headers: answer.headers, body };
  },
  grpc: async ({ method, path, headers: { host = "", ...others } }, dial) => {
    const socket = dial();
    if ("alpnProtocol" in socket) await once(socket, "secureConnect");
    const session = connectHttp2(`http://${host}`, { createConnection: () => socket });
    try {
      const stream = session.request({
        ...{ ":method": method, ":path": path, ":authority": host },
        ...{ ...others, "content-type": "application/grpc", te: "trailers" },
      });
      let trailers: IncomingHttpHeaders = {};
      stream.once("trailers", (received) => {
        trailers = received;
      });
      stream.end(Buffer.alloc(5));
      const [headers] = await once(stream, "response");
      stream.resume();
      await once(stream, "close");
      const { "grpc-status": code, "grpc-message": message = "" } = { ...headers, ...trailers };
      const grpc = { code: Number(code), message: decodeURIComponent(String(message)) };
      return { status: Number(headers[":status"]), headers, body: "", grpc };
    } finally {
      session.destroy();
    }
  },
  tcp: async (_, dial) => {
    const socket = dial();
    let body = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      body += chunk;
    });
    socket.write("HelloWorld");
    await once(socket, "close");
    return { status: body === "HelloWorld" ? 200 : 0, headers: {}, body };
  },
};
