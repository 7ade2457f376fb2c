/** Reads answers of HTTP/1.1 off one connection, and compares each body whole. */
import { BODIES, type BodyPath } from "../bodies.ts";

const HEAD_END = "\r\n\r\n";
const LENGTH = /^content-length: *(\d+)\r?$/im;

/** The four fields of an ordinary client; about 250 bytes. */
export function requestBytes(path: BodyPath): Buffer {
  return Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      "Host: api.production.svc.cluster.local:8080",
      "User-Agent: bench/1.0 (loopback)",
      "Accept: application/json, text/plain, */*",
      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "x-request-id: 7f3c1a52-9d5e-4ad3-8f3c-000000000001",
      "\r\n",
    ].join("\r\n"),
  );
}

export class AnswerReader {
  readonly #expected: Buffer;
  readonly #hear: (problem: string | undefined) => void;
  #pending: Buffer = Buffer.alloc(0);

  /** @param hear of each answer: what is wrong with it, or nothing */
  constructor(path: BodyPath, hear: (problem: string | undefined) => void) {
    this.#expected = Buffer.from(BODIES[path]);
    this.#hear = hear;
  }

  read(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = this.#pending.indexOf(HEAD_END);
      if (end < 0) return;
      const head = this.#pending.toString("latin1", 0, end + 2);
      const start = end + HEAD_END.length;
      const stop = start + Number(LENGTH.exec(head)?.[1] ?? 0);
      if (this.#pending.length < stop) return;
      const body = this.#pending.subarray(start, stop);
      this.#pending = this.#pending.subarray(stop);
      this.#hear(this.#problemOf(head, body));
    }
  }

  #problemOf(head: string, body: Buffer): string | undefined {
    const status = head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
    if (status !== "200") return `answered ${status}`;
    return body.equals(this.#expected)
      ? undefined
      : `a body of ${body.length} bytes that is another`;
  }
}
