/** Both ends of a hop: applications that tell what they heard, and clients, of every protocol that cases speak. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  createServer as createHttp2Server,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { LOOPBACK, portOf } from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";

/** "https": TLS of the application's own. */
export type Content = "http" | "http2" | "grpc" | "https" | "tcp";

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
  /** With its query, as the application heard it; absent: it was not reached, or by no HTTP. */
  readonly heardPath?: string;
}

export interface Application {
  readonly port: number;
  /** Of the last request; undefined: it was not reached. */
  heard(): IncomingHttpHeaders | undefined;
  /** Of the last request of HTTP; undefined: it was not reached. */
  heardPath(): string | undefined;
  forget(): void;
  close(): void;
}

export async function startApplication(content: Content): Promise<Application> {
  let heard: IncomingHttpHeaders | undefined;
  let heardPath: string | undefined;
  const note: Note = (headers, path) => {
    heard = headers;
    heardPath = path;
  };
  const server = APPLICATIONS[content](note);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return {
    port: portOf(server),
    heard: () => heard,
    heardPath: () => heardPath,
    forget: () => {
      heard = undefined;
      heardPath = undefined;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

type Note = (headers: IncomingHttpHeaders, path?: string) => void;

const APPLICATIONS: Readonly<Record<Content, (note: Note) => Server>> = {
  http: (note) =>
    createServer(({ headers, url }, response) => {
      note(headers, url);
      response.end("ok");
    }),
  http2: (note) =>
    createHttp2Server().on("stream", (stream, headers) => {
      stream.on("error", () => stream.destroy());
      note(headers, headers[":path"]);
      stream.respond({ ":status": 200 });
      stream.end("ok");
    }),
  grpc: (note) =>
    createHttp2Server().on("stream", (stream, headers) => {
      stream.on("error", () => stream.destroy());
      note(headers, headers[":path"]);
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
    }),
  https: (note) => {
    const { certificateChainPem: cert, privateKeyPem: key } =
      createThrowawayAuthority().serverCertificate();
    return createHttpsServer({ cert, key }, ({ headers, url }, response) => {
      note(headers, url);
      response.end("ok");
    });
  },
  tcp: (note) =>
    createTcpServer((socket) => {
      socket.on("data", (chunk) => {
        note({});
        socket.end(chunk);
      });
    }),
};

interface Sending {
  readonly sent: Sent;
  /** A connection of its own. */
  readonly dial: () => Socket;
}

/** @throws Error where HTTP is not answered */
export function send(content: Content, { sent, dial }: Sending): Promise<HopAnswer> {
  return SENDERS[content](sent, dial);
}

const SENDERS: Readonly<Record<Content, (sent: Sent, dial: () => Socket) => Promise<HopAnswer>>> = {
  http: sendHttp1,
  https: (sent, dial) =>
    sendHttp1(sent, () => connectTls({ socket: dial(), rejectUnauthorized: false })),
  http2: ({ method, path, headers: { host = "", ...others } }, dial) =>
    overHttp2({ host, dial }, async (session) => {
      const stream = session.request({
        ...{ ":method": method, ":path": path, ":authority": host },
        ...others,
      });
      stream.end();
      const { headers, body } = await answerOf(stream);
      return { status: Number(headers[":status"]), headers, body };
    }),
  grpc: ({ method, path, headers: { host = "", ...others } }, dial) =>
    overHttp2({ host, dial }, async (session) => {
      const stream = session.request({
        ...{ ":method": method, ":path": path, ":authority": host },
        ...{ ...others, "content-type": "application/grpc", te: "trailers" },
      });
      let trailers: IncomingHttpHeaders = {};
      stream.once("trailers", (received) => {
        trailers = received;
      });
      stream.end(Buffer.alloc(5));
      const { headers } = await answerOf(stream);
      const { "grpc-status": code, "grpc-message": message = "" } = { ...headers, ...trailers };
      const grpc = { code: Number(code), message: decodeURIComponent(String(message)) };
      return { status: Number(headers[":status"]), headers, body: "", grpc };
    }),
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

async function sendHttp1(
  { method, path, headers }: Sent,
  createConnection: () => Socket,
): Promise<HopAnswer> {
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
}

async function overHttp2(
  { host, dial }: { readonly host: string; readonly dial: () => Socket },
  ask: (session: ClientHttp2Session) => Promise<HopAnswer>,
): Promise<HopAnswer> {
  const socket = dial();
  if ("alpnProtocol" in socket) await once(socket, "secureConnect");
  const session = connectHttp2(`http://${host}`, { createConnection: () => socket });
  session.on("error", () => session.destroy()); // the stream tells of it
  try {
    return await ask(session);
  } finally {
    session.destroy();
  }
}

/** @throws Error where the stream ends without an answer */
async function answerOf(
  stream: ClientHttp2Stream,
): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: string }> {
  let body = "";
  stream.on("data", (chunk) => {
    body += chunk;
  });
  const ended = once(stream, "close");
  const [headers] = await Promise.race([
    once(stream, "response"),
    ended.then(() => Promise.reject(new Error("the stream ended without an answer"))),
  ]);
  await ended;
  return { headers, body };
}
