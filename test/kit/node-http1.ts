/** The same bytes read by `llhttp`, through real servers and clients of node:http over streams in memory. */
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

export interface NodeMessage {
  /** As `PlainMessage`. */
  readonly line: string;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  /** Its end was seen. */
  isComplete: boolean;
  /** What follows is no HTTP. */
  readonly switches: boolean;
}

const MAX_HEADER_BYTES = 256 * 1024;
/** What streams in memory need to hand everything on. */
const TURNS = 6;

class MemorySocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
  // What node:http asks of sockets.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
}

/** Reads many connections at once: each takes a few turns of the event loop. */
export async function readRequestsByNode(
  connections: readonly Buffer[],
): Promise<readonly (readonly NodeMessage[])[]> {
  const seen = new Map<Duplex, NodeMessage[]>();
  const server = listeningNowhere(seen);
  const sockets = connections.map((bytes) => {
    const socket = new MemorySocket();
    seen.set(socket, []);
    server.emit("connection", socket);
    socket.push(bytes);
    return socket;
  });
  for (let count = 0; count < TURNS; count++) await turn();
  for (const socket of sockets) socket.destroy();
  return sockets.map((socket) => seen.get(socket) ?? []);
}

function listeningNowhere(seen: Map<Duplex, NodeMessage[]>): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false,
    insecureHTTPParser: false,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 2 ** 30,
  });
  server.maxHeadersCount = 0;
  const keep = (incoming: IncomingMessage, switches: "switches" | "stays"): void => {
    const line = `${incoming.method} ${incoming.url} ${incoming.httpVersion}`;
    seen.get(incoming.socket)?.push(follow(incoming, line, switches));
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) {
    // Not answered: an answer may end the connection, and then what is read behind the request depends on time.
    server.on(event, (incoming) => keep(incoming, "stays"));
  }
  for (const event of ["upgrade", "connect"]) {
    server.on(event, (incoming) => keep(incoming, "switches"));
  }
  // Nothing is read behind an error; what was read before it is still to be handed on.
  server.on("clientError", () => {});
  return server;
}

function follow(
  incoming: IncomingMessage,
  line: string,
  switches: "switches" | "stays",
): NodeMessage {
  const message: NodeMessage = {
    line,
    fields: incoming.rawHeaders,
    body: "",
    trailers: [],
    isComplete: switches === "switches",
    switches: switches === "switches",
  };
  incoming.on("data", (chunk: Buffer) => {
    message.body += chunk.toString("latin1");
  });
  incoming.on("end", () => {
    message.trailers = incoming.rawTrailers;
    message.isComplete = incoming.complete;
  });
  incoming.on("error", () => {});
  return message;
}

/** The requests that responses are read as answers to. */
export type Asked = "plain" | "head" | "connect" | "upgrade";

/** The interim answers and the answer; none behind it. */
export async function readResponsesByNode(
  connections: readonly { readonly bytes: Buffer; readonly asked: Asked }[],
): Promise<readonly (readonly NodeMessage[])[]> {
  const all = connections.map(({ bytes, asked }) => {
    const socket = new MemorySocket();
    const seen = ask(socket, asked);
    return { socket, seen, bytes };
  });
  await turn();
  for (const { socket, bytes } of all) {
    socket.push(bytes);
    socket.push(null);
  }
  for (let count = 0; count < TURNS; count++) await turn();
  for (const { socket } of all) socket.destroy();
  return all.map(({ seen }) => {
    const answer = seen.findIndex(({ line }) => !line.startsWith("1") || line.startsWith("101"));
    return answer < 0 ? seen : seen.slice(0, answer + 1);
  });
}

function ask(socket: MemorySocket, asked: Asked): NodeMessage[] {
  const seen: NodeMessage[] = [];
  const outgoing = request({
    createConnection: () => socket as never,
    method: asked === "head" ? "HEAD" : asked === "connect" ? "CONNECT" : "GET",
    path: asked === "connect" ? "a:80" : "/",
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    ...(asked === "upgrade" && { headers: { connection: "upgrade", upgrade: "websocket" } }),
  });
  const lineOf = (incoming: IncomingMessage): string =>
    `${incoming.statusCode} ${incoming.statusMessage} ${incoming.httpVersion}`;
  outgoing.maxHeadersCount = 0;
  outgoing.on("information", ({ statusCode, statusMessage, httpVersion, rawHeaders }) => {
    const line = `${statusCode} ${statusMessage} ${httpVersion}`;
    const rest = { body: "", trailers: [], isComplete: true, switches: false };
    seen.push({ line, fields: rawHeaders, ...rest });
  });
  outgoing.on("response", (incoming) => seen.push(follow(incoming, lineOf(incoming), "stays")));
  for (const event of ["upgrade", "connect"]) {
    outgoing.on(event, (incoming) => seen.push(follow(incoming, lineOf(incoming), "switches")));
  }
  outgoing.on("error", () => {});
  outgoing.end();
  return seen;
}
