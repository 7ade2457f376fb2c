/** Callers that keep their connection and ask again and again, at a pace: when each call was answered, and how. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";

const LOOPBACK = "127.0.0.1";
const ALLOWED = 200;
const REFUSED = 403;

export interface KeptCall {
  /** As `performance.now()`. */
  readonly sentAt: number;
  readonly answeredAt: number;
  /** "failed": there was no answer, as when a connection ends just then. */
  readonly outcome: "allowed" | "refused" | "failed";
}

export type KeptProtocol = "HTTP/1.1" | "HTTP/2";

export interface KeptCaller {
  readonly calls: readonly KeptCall[];
  stop(): Promise<void>;
}

/** @param paceMs from one call to the next; one that takes longer delays the next */
export function startKeptCaller(
  protocol: KeptProtocol,
  { port, paceMs }: { readonly port: number; readonly paceMs: number },
): KeptCaller {
  const calls: KeptCall[] = [];
  const connection = protocol === "HTTP/1.1" ? keptHttp1(port) : keptHttp2(port);
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const sentAt = performance.now();
      const status = await connection.ask().catch(() => undefined);
      calls.push({ sentAt, answeredAt: performance.now(), outcome: outcomeOf(status) });
      const left = sentAt + paceMs - performance.now();
      await delay(Math.max(0, left), undefined, stopping).catch(() => undefined);
    }
  };
  const ended = run();
  return {
    calls,
    stop: async () => {
      stopping.abort();
      await ended;
      connection.close();
    },
  };
}

function outcomeOf(status: number | undefined): KeptCall["outcome"] {
  if (status === ALLOWED) return "allowed";
  return status === REFUSED ? "refused" : "failed";
}

interface KeptConnection {
  /** @returns the status @throws Error where there is no answer */
  ask(): Promise<number>;
  close(): void;
}

/** One connection, and another once it was closed. */
function keptHttp1(port: number): KeptConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ask: async () => {
      const asked = request({ host: LOOPBACK, port, agent, headers: { host: "api:8080" } }).end();
      asked.on("error", () => undefined); // also once it was answered
      const [answer] = await once(asked, "response");
      answer.resume();
      await once(answer, "end");
      return answer.statusCode;
    },
    close: () => agent.destroy(),
  };
}

/** Obeys GOAWAY (RFC 9113 section 6.8). */
function keptHttp2(port: number): KeptConnection {
  let session: ClientHttp2Session | undefined;
  const opened = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const next = connect(`http://${LOOPBACK}:${port}`);
    next.on("error", () => next.destroy());
    next.once("goaway", () => next.close());
    session = next;
    return next;
  };
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const stream = opened().request({ ":path": "/", ":authority": "api:8081" });
        let status: number | undefined;
        stream.once("response", (headers) => {
          status = Number(headers[":status"]);
        });
        stream.once("error", reject);
        stream.once("close", () => {
          if (status === undefined) reject(new Error("no answer"));
          else resolve(status);
        });
        stream.resume();
      }),
    close: () => session?.destroy(),
  };
}
