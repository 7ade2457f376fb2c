/** Requests written as they are, one after the other on one connection, and the status of each answer. */
import type { Socket } from "node:net";
import { LATE } from "./question.ts";

const HEAD_END = "\r\n\r\n";

export class Http1Answers {
  readonly #socket: Socket;
  #received = "";
  #isOpen = true;
  #isLate = false;
  #waiting: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#waiting?.();
    });
    socket.on("close", () => {
      this.#isOpen = false;
      this.#waiting?.();
    });
    socket.on("timeout", () => {
      this.#isLate = true;
      socket.destroy();
    });
    socket.on("end", () => {
      this.#isOpen = false;
      this.#waiting?.();
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @returns how the connection ended without an answer, where there is none */
  async next(request: string, patienceMs: number): Promise<number | "closed" | typeof LATE> {
    this.#socket.setTimeout(patienceMs);
    this.#socket.write(request, "latin1");
    for (;;) {
      const status = this.#take();
      if (status !== undefined) return status;
      if (!this.#isOpen) return this.#isLate ? LATE : "closed";
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  /** A whole answer off what was received; one without a length ends with the connection. */
  #take(): number | undefined {
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const head = this.#received.slice(0, end).toLowerCase();
    const status = Number(head.slice("http/1.1 ".length, "http/1.1 200".length));
    const length = bodyLength(head, this.#received.slice(end + HEAD_END.length));
    if (length === "unended" && this.#isOpen) return undefined;
    if (head.includes("connection: close") || length === "unended") this.#isOpen = false;
    this.#received =
      length === "unended" ? "" : this.#received.slice(end + HEAD_END.length + length);
    return status;
  }
}

function bodyLength(head: string, body: string): number | "unended" {
  if (head.includes("transfer-encoding: chunked")) {
    const last = body.indexOf("0\r\n\r\n");
    return last < 0 ? "unended" : last + "0\r\n\r\n".length;
  }
  const [, told] = /\r\ncontent-length: *(\d+)/.exec(head) ?? [];
  if (told === undefined) return /^http\/1\.1 (?:204|304)/.test(head) ? 0 : "unended";
  return body.length >= Number(told) ? Number(told) : "unended";
}
