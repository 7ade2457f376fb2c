/**
 * A call whose request does not come is no call: it ends, and its connection with it. Which connections are being worked
 * for is told to the room that they are in.
 */
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import type { ClientConnection, ClientConnections } from "./client-connections.ts";

/** How long the last words may take to leave. */
const FAREWELL_MS = 250;

type InterceptedCall = Parameters<ServerInterceptor>[1];

export function callDeadlines(connections: ClientConnections): ServerInterceptor {
  const { requestMs } = connections.limits;
  return (method, call) => {
    const connection = connections.find(call.getPeer());
    if (connection === undefined) return new ServerInterceptingCall(call); // it has closed meanwhile
    const work = new CallWork(connection);
    const deadline = setTimeout(() => refuseLate(call, { connection, requestMs }), requestMs);
    const requestCame = (): void => {
      clearTimeout(deadline);
      work.begin();
    };
    const over = (outcome: "answered" | "failed"): void => {
      clearTimeout(deadline);
      work.end(outcome);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMessage: (message, pass) => {
            if (method.requestStream) requestCame();
            pass(message);
          },
          onReceiveHalfClose: (pass) => {
            requestCame();
            pass();
          },
          onCancel: () => over("failed"),
        }),
      sendStatus: (sent, pass) => {
        over(sent.code === status.OK ? "answered" : "failed");
        pass(sent);
      },
    });
  };
}

/** Between a call's request and its end its connection is busy. */
class CallWork {
  readonly #connection: ClientConnection;
  #phase: "waiting" | "under-way" | "over" = "waiting";

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  begin(): void {
    if (this.#phase !== "waiting") return;
    this.#phase = "under-way";
    this.#connection.place.busy();
  }

  /** Only a call that was answered well makes a connection new again: any other costs a stranger nothing. */
  end(outcome: "answered" | "failed"): void {
    if (this.#phase === "under-way") this.#connection.place.idle();
    if (this.#phase !== "over" && outcome === "answered") this.#connection.place.renew();
    this.#phase = "over";
  }
}

function refuseLate(
  call: InterceptedCall,
  { connection, requestMs }: { readonly connection: ClientConnection; readonly requestMs: number },
): void {
  call.sendStatus({
    code: status.DEADLINE_EXCEEDED,
    details: `the request did not come within ${requestMs / 1000} s`,
  });
  // The stream stays half open until the caller ends it, which is what it does not do.
  setTimeout(() => connection.socket.destroy(), FAREWELL_MS);
}
