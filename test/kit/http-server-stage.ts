/** An `HttpServer` on a real port, whose handler keeps what it was told, and answers as the test says. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fieldName, fieldValue } from "../../src/http/field-ranges.ts";
import { HttpServer } from "../../src/proxy/http/http-server.ts";
import type { HttpServerLimits } from "../../src/proxy/http/http-server-limits.ts";
import type { Abort, Following, ReceivedFields } from "../../src/proxy/http/received-message.ts";
import type { ArrivedRequest, RequestSink, ServerStream } from "../../src/proxy/http/streams.ts";

const LOOPBACK = "127.0.0.1";

/** What was told of one request. */
export class SeenRequest implements RequestSink {
  readonly stream: ServerStream;
  /** `GET /path a HTTP/1.1`, with "-" for no authority. */
  readonly line: string;
  /** `name: value`, only those that go on, in the order they came. */
  readonly fields: readonly string[];
  readonly following: Following;
  body = "";
  octets = 0;
  trailerFields: readonly string[] = [];
  why: Abort | undefined;
  isComplete = false;
  /** Of the piece that came last. */
  latest: Following = "more";
  timesFinished = 0;
  writables = 0;
  /** Called after each change. */
  readonly #react: (seen: SeenRequest, what: Told) => void;

  constructor({ stream, request, following }: ArrivedRequest<string>, react: Reaction) {
    this.stream = stream;
    this.line = `${request.method} ${request.path} ${request.authority ?? "-"} ${request.protocol}`;
    this.fields = plainFields(request.fields);
    this.following = following;
    this.isComplete =
      following === "last" || request.upgrade === "websocket" || request.method === "CONNECT";
    this.#react = react;
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    this.octets += to - from;
    this.latest = following;
    if (this.octets < 1_000_000) this.body += bytes.toString("latin1", from, to);
    if (following === "last") this.isComplete = true;
    this.#react(this, "data");
  }

  trailers(fields: ReceivedFields): void {
    this.trailerFields = plainFields(fields);
    this.isComplete = true;
    this.#react(this, "data");
  }

  aborted(why: Abort): void {
    this.why = why;
    this.#react(this, "aborted");
  }

  writable(): void {
    this.writables++;
    this.#react(this, "writable");
  }

  finished(): void {
    this.timesFinished++;
    this.#react(this, "finished");
  }
}

export type Told = "request" | "data" | "aborted" | "writable" | "finished";
export type Reaction = (seen: SeenRequest, what: Told) => void;

export interface HttpStage {
  readonly http: HttpServer<string>;
  readonly server: Server;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** `status details` of what was no request. */
  readonly broken: string[];
  /** The server's ends of the connections. */
  readonly sockets: Socket[];
  close(): void;
}

export interface HttpStageOptions {
  readonly protocol?: "HTTP/1" | "HTTP/2";
  readonly limits?: Partial<HttpServerLimits>;
}

export async function startHttpStage(
  react: Reaction,
  { protocol = "HTTP/1", limits = {} }: HttpStageOptions = {},
): Promise<HttpStage> {
  const requests: SeenRequest[] = [];
  const broken: string[] = [];
  const sockets: Socket[] = [];
  const http = new HttpServer<string>(
    {
      request(arrived) {
        const seen = new SeenRequest(arrived, react);
        requests.push(seen);
        react(seen, "request");
        return seen;
      },
      broken: ({ status, details }) => broken.push(`${status ?? "-"} ${details}`),
    },
    limits,
  );
  const server = createServer((socket) => {
    sockets.push(socket);
    http.accept(socket, "a connection", protocol);
  });
  await once(server.listen(0, LOOPBACK), "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const close = (): void => {
    http.close();
    server.close();
  };
  return { http, server, port, requests, broken, sockets, close };
}

/** Answers once the request is complete, or could switch protocols, by its body or its line. */
export function echo(seen: SeenRequest, what: Told): void {
  if (what === "data") seen.stream.consumed(seen.octets);
  if (what === "aborted" && seen.why?.cause === "malformed") {
    const { status, details } = seen.why;
    seen.stream.answer({ status: status ?? 500, body: details, flags: "DPE", details });
  }
  if (!seen.isComplete || seen.timesFinished > 0 || what === "finished") return;
  const body = seen.body === "" ? seen.line : seen.body;
  seen.stream.answer({ status: 200, body, flags: "-", details: "echo" });
}

/** Sends pieces, each in a packet of its own if it can be; what comes back until the server ends. */
export async function exchange(
  port: number,
  pieces: readonly (string | Buffer)[],
): Promise<string> {
  const socket = dial(port);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  const closed = once(socket, "close");
  await once(socket, "connect");
  for (const piece of pieces) {
    socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return seen;
}

export function dial(port: number): Socket {
  const socket = connect({ port, host: LOOPBACK, noDelay: true });
  return socket.on("error", () => socket.destroy());
}

export function plainFields(fields: ReceivedFields): string[] {
  return Array.from({ length: fields.count }, (_, index) => index)
    .filter((index) => fields.goesOn(index))
    .map((index) => `${fieldName(fields, index)}: ${fieldValue(fields, index)}`);
}
