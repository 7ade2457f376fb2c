/** Puts an HTTP/2 connection on a socket, as small as can be: written once a turn, paused when the socket is full. */
import type { Duplex } from "node:stream";
import { Http2Connection } from "../../src/http/http2/connection.ts";
import type { Http2Events, Role } from "../../src/http/http2/events.ts";

/** What is left to the test: the carrier answers for the rest. */
export type CarriedEvents<Context> = Partial<Http2Events<Context>>;

export interface Carrier<Context> {
  readonly connection: Http2Connection<Context>;
  readonly socket: Duplex;
}

/** @param make the callbacks, which may use the connection */
export function carryHttp2<Context>(
  role: Role,
  socket: Duplex,
  make: (connection: Http2Connection<Context>) => CarriedEvents<Context>,
): Carrier<Context> {
  let events: CarriedEvents<Context> = {};
  let isFull = false;
  const write = (): void => {
    while (!isFull) {
      const batch = connection.take();
      if (batch === undefined) break;
      isFull = !socket.write(batch.view(), batch.release);
    }
    if (connection.isOver && !isFull) socket.end();
  };
  const whole: Http2Events<Context> = {
    head: (...told) => events.head?.(...told),
    data: (stream, piece) => {
      if (events.data === undefined) connection.consumed(stream, piece.to - piece.from);
      else events.data(stream, piece);
    },
    trailers: (...told) => events.trailers?.(...told),
    reset: (...told) => events.reset?.(...told),
    writable: (stream) => events.writable?.(stream),
    settings: (peer) => events.settings?.(peer),
    settingsAcknowledged: () => events.settingsAcknowledged?.(),
    goaway: (...told) => events.goaway?.(...told),
    pong: () => events.pong?.(),
    drained: () => {
      events.drained?.();
      setImmediate(() => socket.end());
    },
    violation: (violation) => events.violation?.(violation),
    failed: (violation) => events.failed?.(violation),
    flush: () => setImmediate(write),
  };
  const connection = new Http2Connection<Context>({ role, now: () => performance.now() }, whole);
  events = make(connection);
  socket.on("drain", () => {
    isFull = false;
    write();
  });
  socket.on("data", (bytes: Buffer) => connection.receive(bytes, 0, bytes.length));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => connection.abandon());
  connection.start();
  return { connection, socket };
}
