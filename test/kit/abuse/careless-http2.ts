/** An application of HTTP/2 that sends 1 MB to whoever asks for "/large", and reads no octet of what is sent to "/sink". */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { FieldBlock } from "../../../src/http/http2/hpack/field-block.ts";
import type { Http2Stream } from "../../../src/http/http2/stream.ts";
import { carryHttp2 } from "../http2-carrier.ts";

export const LARGE: Buffer = Buffer.alloc(1_000_000, "x");
const OK = Buffer.from("ok");

/** What is left of an answer. */
interface Progress {
  readonly body: Buffer;
  sent: number;
}

export async function startCarelessHttp2(): Promise<Server> {
  const server = createServer({ noDelay: true }, serve);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

function serve(socket: Socket): void {
  const block = new FieldBlock();
  carryHttp2<Progress>("server", socket, (connection) => {
    const send = (stream: Http2Stream<Progress>): void => {
      const progress = stream.context;
      if (progress === undefined) return;
      const { body, sent } = progress;
      const piece = { bytes: body, from: sent, to: body.length, following: "last" } as const;
      progress.sent += connection.sendData(stream, piece);
    };
    return {
      head: (stream, { path }) => {
        if (path === "/sink") return;
        block.response(200);
        connection.sendHead(stream, block, "more");
        stream.context = { body: path === "/large" ? LARGE : OK, sent: 0 };
        send(stream);
      },
      data: () => {},
      writable: send,
    };
  });
}
