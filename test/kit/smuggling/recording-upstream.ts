/**
 * An application that writes down every byte it gets, reads it to the letter, and answers as the path asks. What it cannot
 * read as a strict reader does, a proxy should never have sent.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import { readRequest, type StrictRequest } from "./strict-message.ts";

const LOOPBACK = "127.0.0.1";

/** "cut": the connection ended inside it; "malformed": no strict reader takes it for a request. */
export type Arrival =
  | { readonly kind: "whole"; readonly request: StrictRequest; readonly number: number }
  | { readonly kind: "cut"; readonly request: StrictRequest | undefined; readonly raw: string }
  | { readonly kind: "malformed"; readonly problem: string; readonly raw: string }
  /** Bytes of a tunnel, after a 101 or the answer to a CONNECT. */
  | { readonly kind: "tunnelled"; readonly raw: string };

export interface RecordedBytes {
  readonly connection: number;
  readonly bytes: string;
}

/** Paths that are answered in another way than with what was asked for. */
export const UPSTREAM_PATHS = {
  /** Answered once the head is there, the connection stays. */
  early: "/early",
  /** As "early", and the connection ends. */
  earlyClose: "/early-close",
  /** Answered, and the connection ends. */
  close: "/close",
  /** The connection ends without an answer. */
  drop: "/drop",
  /** Switches protocols if asked to. */
  switches: "/switch",
  /** 103, then the answer. */
  hints: "/hints",
} as const;

export class RecordingUpstream {
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #arrivals: Arrival[] = [];
  readonly #bytes: RecordedBytes[] = [];
  #connections = 0;
  #requests = 0;

  /** @param svid of the callee, for mutual TLS; absent: plaintext */
  constructor(svid?: X509Svid) {
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server =
      svid === undefined
        ? createServer({ noDelay: true }, serve)
        : createTlsServer(
            {
              cert: svid.certificateChainPem,
              key: svid.privateKeyPem,
              ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
            },
            serve,
          );
  }

  /** @returns its port on loopback */
  async listen(): Promise<number> {
    await once(this.#server.listen(0, LOOPBACK), "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not a TCP server");
    return address.port;
  }

  close(): void {
    this.#server.close();
    this.reset();
  }

  /** Ends every connection: nothing of one attack is left for the next. */
  reset(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  /** What came since this was called last. */
  take(): { readonly arrivals: readonly Arrival[]; readonly bytes: readonly RecordedBytes[] } {
    return { arrivals: this.#arrivals.splice(0), bytes: this.#bytes.splice(0) };
  }

  get arrived(): number {
    return this.#arrivals.length;
  }

  /** Whether a request is unfinished on an open connection. */
  get isWaiting(): boolean {
    return [...this.#open].some(({ unread, tunnel }) => unread !== "" && !tunnel);
  }

  #serve(socket: Socket): void {
    const connection: Connection = {
      socket,
      number: this.#connections++,
      unread: "",
      answeredEarly: undefined,
      tunnel: false,
    };
    this.#open.add(connection);
    socket.on("data", (data: Buffer) => this.#receive(connection, data.toString("latin1")));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#closed(connection));
  }

  #receive(connection: Connection, data: string): void {
    this.#bytes.push({ connection: connection.number, bytes: data });
    if (connection.tunnel) {
      this.#arrivals.push({ kind: "tunnelled", raw: data });
      connection.socket.write(data, "latin1");
      return;
    }
    connection.unread += data;
    this.#read(connection);
  }

  #read(connection: Connection): void {
    while (connection.unread !== "" && !connection.tunnel) {
      const reading = readRequest(connection.unread, 0);
      if (reading.kind === "incomplete") {
        if (reading.request !== undefined) this.#answerEarly(connection, reading.request);
        return;
      }
      if (reading.kind === "refused") {
        this.#malformed(connection, reading.problem);
        return;
      }
      connection.unread = connection.unread.slice(reading.end);
      this.#whole(connection, reading.request);
    }
  }

  #malformed(connection: Connection, problem: string): void {
    this.#arrivals.push({ kind: "malformed", problem, raw: connection.unread });
    connection.unread = "";
    connection.socket.end(
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  }

  #whole(connection: Connection, request: StrictRequest): void {
    const { answeredEarly } = connection;
    const number = answeredEarly ?? this.#requests++;
    this.#arrivals.push({ kind: "whole", request, number });
    connection.answeredEarly = undefined;
    if (answeredEarly === undefined) this.#answer(connection, request, number);
  }

  #answerEarly(connection: Connection, request: StrictRequest): void {
    const { early, earlyClose } = UPSTREAM_PATHS;
    const path = pathOf(request);
    if (connection.answeredEarly !== undefined || (path !== early && path !== earlyClose)) return;
    // It may never be whole: then its number is nobody else's, either.
    const number = this.#requests++;
    connection.answeredEarly = number;
    const closes = path === earlyClose;
    connection.socket.write(answerText(request, { number, closes }), "latin1");
    if (closes) connection.socket.end();
  }

  #answer(connection: Connection, request: StrictRequest, number: number): void {
    const { socket } = connection;
    const path = pathOf(request);
    const asksToSwitch = request.fields.some(([name]) => name.toLowerCase() === "upgrade");
    if (path === UPSTREAM_PATHS.drop) {
      socket.destroy();
    } else if (request.method === "CONNECT") {
      socket.write("HTTP/1.1 200 Connected\r\n\r\n");
      this.#tunnel(connection);
    } else if (path === UPSTREAM_PATHS.switches && asksToSwitch) {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
      this.#tunnel(connection);
    } else {
      const closes = path === UPSTREAM_PATHS.close || path === UPSTREAM_PATHS.earlyClose;
      if (path === UPSTREAM_PATHS.hints) socket.write("HTTP/1.1 103 Early Hints\r\n\r\n");
      socket.write(answerText(request, { number, closes }), "latin1");
      if (closes) socket.end();
    }
  }

  #tunnel(connection: Connection): void {
    connection.tunnel = true;
    if (connection.unread === "") return;
    this.#arrivals.push({ kind: "tunnelled", raw: connection.unread });
    connection.unread = "";
  }

  #closed(connection: Connection): void {
    this.#open.delete(connection);
    const { unread: raw } = connection;
    if (raw === "") return;
    const reading = readRequest(raw, 0);
    const request = reading.kind === "incomplete" ? reading.request : undefined;
    this.#arrivals.push({ kind: "cut", request, raw });
  }
}

interface Connection {
  readonly socket: Socket;
  readonly number: number;
  unread: string;
  /** The number of the request whose head was answered already. */
  answeredEarly: number | undefined;
  tunnel: boolean;
}

function pathOf({ target }: StrictRequest): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/, "");
}

/** Says which request it answers: who gets an answer that was another's finds it out. */
function answerText(
  { method, target }: StrictRequest,
  { number, closes }: { readonly number: number; readonly closes: boolean },
): string {
  const body = `${method} ${target}`;
  const fields = `X-Answer: ${number}\r\nContent-Length: ${body.length}\r\n${closes ? "Connection: close\r\n" : ""}`;
  return `HTTP/1.1 200 OK\r\n${fields}\r\n${method === "HEAD" ? "" : body}`;
}
