/** Whole connections read by our own codec, as plain values: what tests and the fuzzer compare. */

import { UPGRADE } from "../../src/http/http1/connection-options.ts";
import type { FieldSection } from "../../src/http/http1/field-section.ts";
import { INCOMPLETE, REFUSED } from "../../src/http/http1/field-section.ts";
import { FRAMING } from "../../src/http/http1/framing.ts";
import { MessageBody } from "../../src/http/http1/message-body.ts";
import type { MessageHead } from "../../src/http/http1/message-head.ts";
import { RequestHead } from "../../src/http/http1/request-head.ts";
import { ResponseHead } from "../../src/http/http1/response-head.ts";
import { METHOD } from "../../src/http/methods.ts";

export interface PlainMessage {
  /** `GET /a 1.1` or `200 OK 1.1`. */
  readonly line: string;
  /** Name, value, name, value, as latin1. */
  readonly fields: readonly string[];
  /** Payload, as latin1. */
  readonly body: string;
  readonly trailers: readonly string[];
  /** Behind its last byte. */
  readonly end: number;
}

export interface PlainReading {
  readonly messages: readonly PlainMessage[];
  /**
   * "idle": the last message was complete. "incomplete": more bytes are needed. "last": nothing may follow the last message.
   * "switched": what follows is no HTTP, or cannot be told before its answer. Else the code of what was refused.
   */
  readonly outcome: string;
}

export interface ReadHttp1Options {
  /** Places to cut the bytes at, rising; whole if absent. */
  readonly cuts?: readonly number[];
}

export function readRequests(bytes: Buffer, options: ReadHttp1Options = {}): PlainReading {
  const head = new RequestHead();
  return readConnection(bytes, options, {
    head,
    line: () => `${head.methodText()} ${targetOf(head)} 1.${head.minorVersion}`,
    framing: () => head.framing,
    switches: () => head.method === METHOD.CONNECT || head.upgrade !== UPGRADE.none,
  });
}

/** @param answers one of `ANSWERS`, of all responses */
export function readResponses(
  bytes: Buffer,
  answers: number,
  options: ReadHttp1Options = {},
): PlainReading {
  const head = new ResponseHead();
  return readConnection(bytes, options, {
    head,
    line: () => `${head.status} ${reasonOf(head)} 1.${head.minorVersion}`,
    framing: () => head.framing(answers),
    switches: () => false,
  });
}

interface Kind {
  readonly head: MessageHead;
  readonly line: () => string;
  readonly framing: () => number;
  readonly switches: () => boolean;
}

/** Each piece lies in a buffer of its own, behind what is left of the one before: as on a real connection. */
function readConnection(bytes: Buffer, { cuts = [] }: ReadHttp1Options, kind: Kind): PlainReading {
  const reader = new ConnectionReader(kind);
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.receive(bytes.subarray(start, cut));
    start = cut;
    if (reader.problem !== undefined) break;
  }
  return reader.reading();
}

class ConnectionReader {
  problem: string | undefined;
  readonly #kind: Kind;
  readonly #messages: PlainMessage[] = [];
  readonly #body = new MessageBody();
  #kept: Buffer = Buffer.alloc(0);
  /** Bytes that have come in all, and where the last of them ends in the buffer that is read. */
  #received = 0;
  #to = 0;
  #inBody = false;
  #payload = "";
  #head: Pick<PlainMessage, "line" | "fields"> = { line: "", fields: [] };
  /** What there is to say once nothing more is to be read. */
  #done: "last" | "switched" | undefined;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  receive(piece: Buffer): void {
    this.#received += piece.length;
    // Room before the bytes, so that they never lie where they lay; and something behind them, that must not be read.
    const room = (this.#received * 7) % 13;
    const bytes = Buffer.concat([Buffer.alloc(room), this.#kept, piece, Buffer.from("\r\n")]);
    this.#to = bytes.length - 2;
    let at = room;
    while (at < this.#to && this.problem === undefined && this.#done === undefined) {
      const end = this.#inBody ? this.#readBody(bytes, at) : this.#readHead(bytes, at);
      if (end === at) break;
      at = end;
    }
    this.#kept = bytes.subarray(at, this.#to);
  }

  reading(): PlainReading {
    return { messages: this.#messages, outcome: this.#outcome() };
  }

  #outcome(): string {
    if (this.problem !== undefined) return this.problem;
    if (this.#inBody && this.#body.end()) this.#finish(this.#to);
    if (this.#done !== undefined) return this.#done;
    return !this.#inBody && this.#kept.length === 0 ? "idle" : "incomplete";
  }

  #readHead(bytes: Buffer, at: number): number {
    const { head, line, framing } = this.#kind;
    const end = head.scan(bytes, at, this.#to);
    if (end === INCOMPLETE) return at;
    const how = end === REFUSED ? REFUSED : framing();
    if (how === REFUSED) {
      this.problem = head.problem.code;
      return at;
    }
    this.#head = { line: line(), fields: plainFields(head) };
    this.#payload = "";
    this.#body.begin(how === FRAMING.switched ? FRAMING.none : how, head.contentLength);
    this.#inBody = true;
    if (this.#body.isOver) this.#finish(end);
    if (how === FRAMING.switched) this.#done = "switched";
    return end;
  }

  #readBody(bytes: Buffer, at: number): number {
    const body = this.#body;
    const end = body.step(bytes, at, this.#to);
    if (end === REFUSED) {
      this.problem = body.problem.code;
      return at;
    }
    this.#payload += bytes.toString("latin1", body.payloadStart, body.payloadEnd);
    if (body.isOver) this.#finish(end);
    return end;
  }

  #finish(offset: number): void {
    const { trailers } = this.#body;
    const end = this.#received - this.#to + offset;
    const fields = trailers === undefined ? [] : plainFields(trailers);
    this.#messages.push({ ...this.#head, body: this.#payload, trailers: fields, end });
    this.#inBody = false;
    if (this.#kind.switches()) this.#done = "switched";
    else if (!this.#kind.head.keepsAlive) this.#done = "last";
  }
}

function plainFields({ bytes, count, ranges }: FieldSection): string[] {
  return Array.from({ length: 2 * count }, (_, index) =>
    bytes.toString("latin1", ranges[2 * index], ranges[2 * index + 1]),
  );
}

function reasonOf({ bytes, reasonStart, reasonEnd }: ResponseHead): string {
  return bytes.toString("latin1", reasonStart, reasonEnd);
}

function targetOf({ bytes, targetStart, targetEnd }: RequestHead): string {
  return bytes.toString("latin1", targetStart, targetEnd);
}
