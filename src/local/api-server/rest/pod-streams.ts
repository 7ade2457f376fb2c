/** What of a pod is no object: its logs, and connections into it. Whoever runs pods provides them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";

export interface PodStreamRequest {
  /** As it is stored when the request comes. */
  readonly pod: KubernetesObject;
  readonly query: URLSearchParams;
}

export interface PodStreams {
  /** Answers on its own. @throws StatusError before it has written anything */
  log(request: PodStreamRequest, response: ServerResponse): Promise<void>;
  /**
   * `exec` or `portforward`: the client wants to speak WebSocket or SPDY on this connection.
   *
   * @throws StatusError before it has written anything
   */
  upgrade(
    request: PodStreamRequest & { readonly subresource: "exec" | "portforward" },
    connection: {
      readonly message: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
    },
  ): Promise<void>;
}
