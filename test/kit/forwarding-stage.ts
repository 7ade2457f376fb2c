/** A server that forwards every request to one callee by the code that serves: nothing is judged, and nothing changed. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import {
  type Exchange,
  OpenedExchange,
  type Outcome,
  type Target,
} from "../../src/proxy/exchange.ts";
import { HttpServer } from "../../src/proxy/http/http-server.ts";
import type { HttpServerLimits } from "../../src/proxy/http/http-server-limits.ts";
import { ConnectionPools } from "../../src/proxy/http/upstream-connections-pools.ts";
import { HttpServiceHandler } from "../../src/proxy/http-service.ts";
import { SingleTarget } from "../../src/proxy/single-target.ts";
import { dialPlaintext, type Upstream } from "../../src/proxy/upstream-dialer.ts";
import { LOOPBACK, portOf } from "./sidecar-fixture.ts";

export interface ForwardingStage {
  readonly port: number;
  readonly target: Target;
  readonly outcomes: readonly Outcome[];
}

export interface ForwardingOptions {
  readonly limits?: Partial<HttpServerLimits>;
  readonly dial?: () => Promise<Upstream>;
}

export interface StageClient {
  readonly socket: Socket;
  /** What has come, and how it ended. */
  seen(): string;
}

/** All that one test file opens, and closes together. */
export class ForwardingStages {
  readonly #closing: (() => void)[] = [];

  close(): void {
    for (const close of this.#closing) close();
  }

  /** @returns the port of a server on loopback */
  async listening(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#closing.push(() => socket.destroy());
      serve(socket.on("error", () => {}));
    });
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    this.#closing.push(() => server.close());
    return portOf(server);
  }

  /** @param port of the callee */
  async forwardingTo(port: number, options: ForwardingOptions = {}): Promise<ForwardingStage> {
    const address = { address: LOOPBACK, port };
    const outcomes: Outcome[] = [];
    const pools = new ConnectionPools({ idleMs: 60_000 });
    const { limits, dial = () => dialPlaintext(address) } = options;
    const connections = pools.connections("callee", { dial, unnegotiated: "HTTP/1" });
    const target = { address, connections };
    const handler = new HttpServiceHandler<string, Exchange>({
      judge(request) {
        const { protocol } = request;
        const opening = { startedAt: new Date(), protocol, spanSide: undefined };
        const exchange = new OpenedExchange(request, opening);
        const route = { scheme: "http", attempts: new SingleTarget(target) } as const;
        return { exchange, verdict: { route }, afterwards: "keep" };
      },
      record: (_, outcome) => void outcomes.push(outcome),
      recordBroken: () => {},
      answerFields: () => "passed on",
    });
    const http = new HttpServer(handler, limits);
    this.#closing.push(() => {
      http.close();
      pools.close();
    });
    const listen = await this.listening((socket) => http.accept(socket, "", "HTTP/1"));
    return { port: listen, target, outcomes };
  }

  client(port: number, text: string | Buffer): StageClient {
    let seen = "";
    const socket = connect({ port, host: LOOPBACK }).setEncoding("latin1");
    this.#closing.push(() => socket.destroy());
    socket.on("data", (chunk: string) => {
      seen += chunk;
    });
    socket.on("end", () => {
      seen += "[end]";
    });
    socket.on("error", ({ message }) => {
      seen += `[${message}]`;
    });
    socket.write(text);
    return { socket, seen: () => seen };
  }
}
