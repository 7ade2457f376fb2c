/** An application that remembers every octet, and callers that say exactly what they are told to: for proxies under test. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { LOOPBACK, portOf } from "./sidecar-fixture.ts";

/** Answers every request alike, and bytes too. */
export class RecordingApplication {
  readonly #server: Server;
  received = "";
  connections = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.connections++;
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes: Buffer) => {
        this.received += bytes.toString("latin1");
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
  }

  static async start(): Promise<RecordingApplication> {
    const application = new RecordingApplication();
    application.#server.listen(0, LOOPBACK).unref();
    await once(application.#server, "listening");
    return application;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** What came since it was asked last. */
  taken(): string {
    const taken = this.received;
    this.received = "";
    return taken;
  }

  close(): void {
    this.#server.close();
  }
}

export interface CallerCertificate {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

export interface Caller {
  readonly port: number;
  /** Absent: in plaintext. */
  readonly alpn?: readonly string[];
  /** Absent: without a certificate. */
  readonly certificate?: CallerCertificate;
}

export const MESH_HTTP_ALPN: readonly string[] = ["istio-http/1.1", "istio", "http/1.1"];
export const MESH_TCP_ALPN: readonly string[] = ["istio"];

/** What a caller gets to see, until the connection ends or the application's answer is there. */
export async function say(caller: Caller, words: string): Promise<string> {
  const { port, alpn, certificate } = caller;
  const socket: Socket =
    alpn === undefined
      ? connect({ port, host: LOOPBACK })
      : connectTls({
          port,
          host: LOOPBACK,
          servername: "outbound_.8080_._.api.production.svc.cluster.local",
          ALPNProtocols: [...alpn],
          rejectUnauthorized: false,
          ...(certificate && {
            cert: certificate.certificateChainPem,
            key: certificate.privateKeyPem,
          }),
        });
  let seen = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    seen += bytes.toString("latin1");
    if (isWhole(seen)) socket.destroy();
  });
  socket.write(words);
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return seen;
}

/** By the length that an answer says it has. */
function isWhole(seen: string): boolean {
  const end = seen.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const [, length = "0"] = /\r\ncontent-length: *([0-9]+)/i.exec(seen.slice(0, end)) ?? [];
  return seen.length >= end + 4 + Number(length);
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A request of HTTP/1.1; its own connection. */
export async function ask(
  caller: Caller,
  path: string,
  fields: readonly string[] = [],
): Promise<Answer> {
  const head = [`GET ${path} HTTP/1.1`, "Host: api:8080", ...fields, "", ""].join("\r\n");
  const text = await say(caller, head);
  const [, status = "0"] = /^HTTP\/1\.1 ([0-9]{3})/.exec(text) ?? [];
  return { status: Number(status), text };
}
