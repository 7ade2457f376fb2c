/** A small HTTP/2 server on our codec, by prior knowledge: it answers each request once it has come whole. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { FieldBlock } from "../../src/http/http2/hpack/field-block.ts";
import { carryHttp2 } from "./http2-carrier.ts";

const BODY = Buffer.from("a small answer\n");

export interface SmallHttp2Server {
  readonly port: number;
  /** What was refused, for the test's message. */
  readonly problems: readonly string[];
  close(): void;
}

export async function startSmallHttp2Server(): Promise<SmallHttp2Server> {
  const problems: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, problems);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: address.port, problems, close };
}

function serve(socket: Socket, problems: string[]): void {
  const block = new FieldBlock();
  carryHttp2<{ sent: number }>("server", socket, (connection) => {
    const answer = (stream: Parameters<typeof connection.sendHead>[0]): void => {
      block.response(200);
      block.add("content-length", String(BODY.length));
      stream.context = { sent: 0 };
      connection.sendHead(stream, block, "more");
      send(stream);
    };
    const send = (stream: Parameters<typeof connection.sendHead>[0]): void => {
      const progress = stream.context;
      if (progress === undefined) return;
      const piece = {
        bytes: BODY,
        from: progress.sent,
        to: BODY.length,
        following: "last",
      } as const;
      progress.sent += connection.sendData(stream, piece);
    };
    return {
      head: (stream, _head, following) => {
        if (following === "last") answer(stream);
      },
      data: (stream, { from, to, following }) => {
        connection.consumed(stream, to - from);
        if (following === "last") answer(stream);
      },
      trailers: answer,
      writable: send,
      violation: ({ problem }) => problems.push(problem),
      failed: ({ problem }) => problems.push(problem),
    };
  });
}
