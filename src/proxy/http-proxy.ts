/** The pod's HTTP proxy: for applications that honour HTTP_PROXY. Who may use it is decided by its password. */
import type { Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { acceptedConnection } from "./accepted-connection.ts";
import type { HttpServer } from "./http/http-server.ts";
import { Listener } from "./listener.ts";
import type { OutboundCall } from "./outbound-call.ts";
import { outboundFacts } from "./outbound-listener.ts";

export interface HttpProxyOptions {
  readonly listen: SocketAddress;
  readonly http: Pick<HttpServer<OutboundCall>, "accept">;
  readonly log: Log;
  readonly clock: Clock;
}

export class HttpProxy {
  readonly #listener: Listener;

  constructor({ listen, http, log, clock }: HttpProxyOptions) {
    const serve = (socket: Socket): void => {
      const accepted = acceptedConnection(socket, clock.now());
      if (accepted === undefined) socket.destroy();
      else http.accept(socket, { facts: outboundFacts(accepted), via: "http-proxy" }, "HTTP/1");
    };
    this.#listener = new Listener(listen, { serve, log });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }
}
