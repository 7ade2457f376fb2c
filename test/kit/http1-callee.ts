/** A callee of HTTP/1 whose end of each connection is the test's own, and connections of ours to it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after } from "node:test";
import { Http1ClientConnection } from "../../src/proxy/http/http1-client-connection.ts";
import type {
  ClientConnection,
  ConnectionKeeper,
} from "../../src/proxy/http/upstream-connections-member.ts";
import {
  outgoingRequest,
  RecordedAnswer,
  type RecordOptions,
  type RequestParts,
} from "./recorded-answer.ts";
import { LOOPBACK, portOf } from "./sidecar-fixture.ts";

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export class RecordedKeeper implements ConnectionKeeper {
  readonly nowMs = 0;
  readonly calls: string[] = [];
  ready(_: ClientConnection): void {
    this.calls.push("ready");
  }
  retired(_: ClientConnection): void {
    this.calls.push("retired");
  }
  closed(_: ClientConnection): void {
    this.calls.push("closed");
  }
}

/** A connection, the callee's end of it, and what the callee has read. */
export interface ConnectedPair {
  readonly connection: Http1ClientConnection;
  readonly keeper: RecordedKeeper;
  readonly callee: Socket;
  readonly read: () => string;
}

/** To be called where a file begins, with whose tests it ends. @returns what makes one pair after the other */
export function http1Callee(): () => Promise<ConnectedPair> {
  const sockets = new Set<Socket>();
  const accepted: ((socket: Socket) => void)[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    accepted.shift()?.(socket);
  });
  server.listen(0, LOOPBACK);
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return async () => {
    if (!server.listening) await once(server, "listening");
    const arrival = new Promise<Socket>((resolve) => accepted.push(resolve));
    const socket = connect({ port: portOf(server), host: LOOPBACK, allowHalfOpen: true });
    sockets.add(socket);
    const callee = await arrival;
    const read: Buffer[] = [];
    callee.on("data", (bytes: Buffer) => read.push(bytes));
    const keeper = new RecordedKeeper();
    const upstream = { socket, local: { address: "", port: 0 } };
    const connection = new Http1ClientConnection(upstream, keeper);
    return { connection, keeper, callee, read: () => Buffer.concat(read).toString("latin1") };
  };
}

/** @returns what is told of its answer */
export function send(
  connection: Http1ClientConnection,
  parts: RequestParts = {},
  options: RecordOptions = {},
): RecordedAnswer {
  const answer = new RecordedAnswer(options);
  connection.send(outgoingRequest(parts), options.body === undefined ? "last" : "more", answer);
  return answer;
}
