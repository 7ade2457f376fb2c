/** A server on our HTTP/2 codec that sends each request back: fields as fields, body as body, trailers as trailers. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { FieldBlock, type OutgoingFields } from "../../src/http/http2/hpack/field-block.ts";
import type { Following, Http2Stream } from "../../src/http/http2/stream.ts";
import { carryHttp2 } from "./http2-carrier.ts";

/** What came and could not go on yet. */
interface Backlog {
  readonly pieces: Buffer[];
  following: Following;
  trailers: FieldBlock | undefined;
}

export interface EchoServer {
  readonly port: number;
  /** What was reset, and why connections failed. */
  readonly notes: string[];
  /** Octets that wait in all backlogs, at most. */
  mostHeld(): number;
  close(): void;
}

export async function startEchoServer(): Promise<EchoServer> {
  const notes: string[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    echo(socket, notes, (held) => {
      most = Math.max(most, held);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: address.port, notes, mostHeld: () => most, close };
}

function echo(socket: Socket, notes: string[], note: (held: number) => void): void {
  const block = new FieldBlock();
  let held = 0;
  carryHttp2<Backlog>("server", socket, (connection) => {
    const push = (stream: Http2Stream<Backlog>): void => {
      const backlog = stream.context;
      if (backlog === undefined) return;
      for (let bytes = backlog.pieces[0]; bytes !== undefined; bytes = backlog.pieces[0]) {
        const following = "more";
        const sent = connection.sendData(stream, { bytes, from: 0, to: bytes.length, following });
        connection.consumed(stream, sent);
        held -= sent;
        if (sent < bytes.length) {
          backlog.pieces[0] = bytes.subarray(sent);
          return;
        }
        backlog.pieces.shift();
      }
      if (backlog.following === "more") return;
      if (backlog.trailers !== undefined) connection.sendTrailers(stream, backlog.trailers);
      else connection.sendData(stream, { bytes: NOTHING, from: 0, to: 0, following: "last" });
    };
    return {
      head: (stream, head, following) => {
        stream.context = { pieces: [], following, trailers: undefined };
        block.response(103);
        block.add("link", "</early>");
        connection.sendHead(stream, block, "more");
        block.response(200);
        copyAll(head, block);
        block.add("x-seen", `${head.method} ${head.scheme} ${head.authority} ${head.path}`);
        connection.sendHead(stream, block, "more");
        push(stream);
      },
      data: (stream, { bytes, from, to, following }) => {
        if (stream.context === undefined) return;
        if (to > from) stream.context.pieces.push(Buffer.from(bytes.subarray(from, to)));
        held += to - from;
        note(held);
        stream.context.following = following;
        push(stream);
      },
      trailers: (stream, fields) => {
        if (stream.context === undefined) return;
        stream.context.trailers = new FieldBlock();
        stream.context.trailers.trailers();
        copyAll(fields, stream.context.trailers);
        stream.context.following = "last";
        push(stream);
      },
      writable: push,
      reset: (stream, code) => {
        for (const piece of stream.context?.pieces ?? []) held -= piece.length;
        notes.push(`reset ${stream.id} ${code}`);
      },
      failed: ({ problem }) => notes.push(problem),
      violation: ({ problem }) => notes.push(problem),
    };
  });
}

const NOTHING = Buffer.alloc(0);

function copyAll(fields: OutgoingFields, block: FieldBlock): void {
  for (let index = 0; index < fields.count; index++) block.copy(fields, index);
}
