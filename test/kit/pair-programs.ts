/** Programs behind a callee's ports, and calls to them, of every protocol that both data planes carry. */
import { once } from "node:events";
import { type Agent, createServer as createHttp1, request } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  createServer as createHttp2,
  type Http2Server,
} from "node:http2";
import { connect, createServer as createTcp, type Server, type Socket } from "node:net";
import { LOOPBACK } from "./sidecar-fixture.ts";

export interface PairPrograms {
  readonly http: Server;
  readonly grpc: Http2Server;
  readonly tcp: Server;
  close(): void;
}

/** HTTP/1.1 that tells the caller's XFCC and says the body again, gRPC without messages, and TCP that says all again. */
export async function startPairPrograms(): Promise<PairPrograms> {
  const http = createHttp1((incoming, response) => {
    response.setHeader("x-told-xfcc", `${incoming.headers["x-forwarded-client-cert"] ?? ""}`);
    incoming.pipe(response);
  });
  const sessions = new Set<{ destroy(): void }>();
  const grpc = createHttp2().on("stream", (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  grpc.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  const sockets = new Set<Socket>();
  const tcp = createTcp({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  for (const server of [http, grpc, tcp]) await once(server.listen(0, LOOPBACK), "listening");
  return {
    http,
    grpc,
    tcp,
    close: () => {
      http.closeAllConnections();
      for (const one of [...sessions, ...sockets]) one.destroy();
      for (const server of [http, grpc, tcp]) server.close();
    },
  };
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** What the callee's application was told of the caller. */
  readonly xfcc: string;
}

/** @throws Error where there is no answer */
export async function askHttp1(
  port: number,
  { agent, body = "", path = "/" }: { agent?: Agent; body?: string; path?: string } = {},
): Promise<HttpAnswer> {
  const outgoing = request({
    host: LOOPBACK,
    port,
    path,
    method: "POST",
    headers: { host: "api.production:8080" },
    ...(agent && { agent }),
  });
  outgoing.end(body);
  const [reply] = await once(outgoing, "response");
  const parts: Buffer[] = [];
  for await (const part of reply) parts.push(part);
  const xfcc = `${reply.headers["x-told-xfcc"] ?? ""}`;
  return { status: reply.statusCode, body: Buffer.concat(parts).toString(), xfcc };
}

/** Over a session that may carry others at the same time. @throws Error where there is no answer */
export async function askHttp2(session: ClientHttp2Session, body = ""): Promise<HttpAnswer> {
  const stream = session.request({ ":method": "POST", ":authority": "api.production:8080" });
  const { status, text, fields } = await answerOf(stream, body);
  return { status, body: text, xfcc: `${fields["x-told-xfcc"] ?? ""}` };
}

/** @returns the status of gRPC @throws Error where there is none */
export async function askGrpc(session: ClientHttp2Session, body = ""): Promise<string> {
  const stream = session.request({
    ":method": "POST",
    ":path": "/pair.Echo/Say",
    ":authority": "grpc.production:8080",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const trailers = once(stream, "trailers").catch(() => undefined);
  const { status, text, fields } = await answerOf(stream, body);
  if (status !== 200) return `HTTP ${status}`;
  if (fields["grpc-status"] !== undefined) return `${fields["grpc-status"]}`;
  const [{ "grpc-status": code } = { "grpc-status": "none" }] = (await trailers) ?? [];
  return text === body ? `${code}` : "another body";
}

async function answerOf(stream: ClientHttp2Stream, body: string) {
  stream.end(body);
  const [fields] = await once(stream, "response");
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return { status: Number(fields[":status"]), text: Buffer.concat(parts).toString(), fields };
}

/** @returns all that came back before the end @throws Error where the connection breaks */
export async function sayTcp(port: number, text: string): Promise<string> {
  const socket = connect({ host: LOOPBACK, port, allowHalfOpen: true });
  const parts: Buffer[] = [];
  socket.end(text);
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
