/** The same bytes of HTTP/2 read by nghttp2, through sessions of node:http2 over streams in memory. */
import { createServer, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { FRAME_HEADER, PREFACE } from "../../src/http/http2/frame.ts";

/** What nghttp2 made of one request. */
export interface NodeRequest {
  readonly id: number;
  /** `name: value` in the order they came, pseudo-fields among them. */
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  /** Its end came. */
  isWhole: boolean;
}

/** What streams in memory need to hand everything on. */
const TURNS = 12;
const UNLIMITED = 1_000_000;

class MemorySocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** Reads many connections at once, each a client's bytes: a session takes a few turns of the event loop. */
export async function readHttp2ByNode(
  connections: readonly Buffer[],
): Promise<readonly (readonly NodeRequest[])[]> {
  const sessions: Http2Session[] = [];
  const seen = new Map<Duplex, NodeRequest[]>();
  let serving: NodeRequest[] = [];
  const server = createServer({
    maxHeaderListPairs: UNLIMITED,
    maxSessionInvalidFrames: UNLIMITED,
    maxSessionMemory: 1_000,
    settings: { maxHeaderListSize: UNLIMITED },
    unknownProtocolTimeout: UNLIMITED,
  });
  server.on("session", (session) => {
    sessions.push(session);
    const requests = serving;
    session.on("error", () => {});
    session.on("stream", (...[stream, , , raw]: StreamArguments) => {
      requests.push(follow(stream, raw));
    });
  });
  server.on("sessionError", () => {});
  server.on("stream", () => {}); // else it would be refused
  const sockets = connections.map(() => {
    const socket = new MemorySocket();
    socket.on("error", () => {});
    serving = [];
    seen.set(socket, serving);
    server.emit("connection", socket);
    return socket;
  });
  await pushInTurns(sockets, connections.map(framesIn));
  for (let count = 0; count < TURNS; count++) await turn();
  for (const session of sessions) session.destroy();
  for (const socket of sockets) socket.destroy();
  return sockets.map((socket) => seen.get(socket) ?? []);
}

/** Beside what is documented, names and values as they came. */
type StreamArguments = [stream: ServerHttp2Stream, headers: unknown, flags: unknown, raw: unknown];
type TrailersArguments = [headers: unknown, flags: unknown, raw: unknown];

/** Node tells of a request a turn later, and never if the connection has failed by then. */
async function pushInTurns(
  sockets: readonly Duplex[],
  frames: readonly (readonly Buffer[])[],
): Promise<void> {
  const most = Math.max(...frames.map(({ length }) => length));
  for (let at = 0; at < most; at++) {
    for (const [index, socket] of sockets.entries()) {
      const frame = frames[index]?.[at];
      if (frame !== undefined && !socket.destroyed) socket.push(frame);
    }
    await turn();
    await turn();
  }
}

/** As they stand one behind the other, the preface with the first; what is cut off is a piece of its own. */
export function framesIn(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  let from = 0;
  for (let at = PREFACE.length; at + FRAME_HEADER <= bytes.length; ) {
    at += FRAME_HEADER + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(from, at));
    from = at;
  }
  return from < bytes.length ? [...frames, bytes.subarray(from)] : frames;
}

function follow(stream: ServerHttp2Stream, raw: unknown): NodeRequest {
  const fields = fieldsOf(raw);
  const request: NodeRequest = {
    id: stream.id ?? 0,
    fields,
    body: "",
    trailers: [],
    isWhole: false,
  };
  stream.on("error", () => {});
  stream.on("data", (bytes: Buffer) => {
    request.body += bytes.toString("latin1");
  });
  stream.on("trailers", (...[, , rawTrailers]: TrailersArguments) => {
    request.trailers = fieldsOf(rawTrailers);
  });
  stream.on("end", () => {
    request.isWhole = true;
  });
  return request;
}

/** @param raw names and values in turn */
function fieldsOf(raw: unknown): readonly string[] {
  if (!Array.isArray(raw)) return [];
  const texts = raw.map(String);
  return texts.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${texts[at + 1] ?? ""}`] : []));
}
