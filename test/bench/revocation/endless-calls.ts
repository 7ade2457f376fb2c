/** What was let in once and never ends by itself: an endless response, an endless stream, a raw connection. */
import { get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { Readable } from "node:stream";

const LOOPBACK = "127.0.0.1";
/** Between two words on a raw connection. */
const PAUSE_MS = 20;

export interface EndlessCall {
  /** When the last byte came, as `performance.now()`; absent: none came yet. */
  readonly lastHeardAt?: number;
  /** Absent: it lives. */
  readonly endedAt?: number;
  stop(): void;
}

class Heard implements EndlessCall {
  lastHeardAt?: number;
  endedAt?: number;
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  listenTo(bytes: Readable): void {
    bytes.on("data", () => {
      this.lastHeardAt = performance.now();
    });
    bytes.on("error", () => undefined);
    bytes.once("close", () => this.ended());
  }

  ended(): void {
    this.endedAt ??= performance.now();
  }

  stop(): void {
    this.#end();
  }
}

export function endlessResponse(port: number): EndlessCall {
  const asked = get({ host: LOOPBACK, port, path: "/endless", agent: false });
  const heard = new Heard(() => asked.destroy());
  asked.on("error", () => heard.ended());
  asked.once("response", (answer) => heard.listenTo(answer));
  return heard;
}

export function endlessStream(port: number): EndlessCall {
  const session = connectHttp2(`http://${LOOPBACK}:${port}`);
  const heard = new Heard(() => session.destroy());
  session.on("error", () => heard.ended());
  heard.listenTo(session.request({ ":path": "/endless", ":authority": "api:8081" }));
  return heard;
}

/** It speaks all the time, and hears what it said. */
export function endlessEcho(port: number): EndlessCall {
  const socket = connect({ host: LOOPBACK, port });
  const timer = setInterval(() => socket.write("more\n"), PAUSE_MS);
  const heard = new Heard(() => socket.destroy());
  heard.listenTo(socket);
  socket.once("close", () => clearInterval(timer));
  return heard;
}
