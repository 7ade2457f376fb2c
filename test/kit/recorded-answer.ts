/** Who waits for an answer in tests of connections to callees: writes down what it is told, and asks as it is told to. */
import { FieldLookup } from "../../src/http/field-lookup.ts";
import { fieldName, fieldValue } from "../../src/http/field-ranges.ts";
import { HeldFields } from "../../src/proxy/http/held-fields.ts";
import type {
  Abort,
  Following,
  ReceivedAnswer,
  ReceivedFields,
} from "../../src/proxy/http/received-message.ts";
import type {
  AnswerSink,
  ClientStream,
  OutgoingRequest,
  Sending,
  UpstreamConnections,
} from "../../src/proxy/http/streams.ts";
import type { UpstreamConnectError } from "../../src/proxy/upstream-dialer.ts";

export interface RecordOptions {
  /** "by hand": octets are given back by `consume` alone. */
  readonly consumption?: "at once" | "by hand";
  /** Sent as fast as the connection takes it. */
  readonly body?: readonly Buffer[];
  readonly trailers?: Readonly<Record<string, string>>;
}

export class RecordedAnswer implements AnswerSink {
  /** `interim 103`, `head 200 more`, `data`, `last`, `trailers a=b`, `aborted closed`, ...; runs of `data` are one. */
  readonly calls: string[] = [];
  readonly pieces: Buffer[] = [];
  readonly fields: [string, string][] = [];
  status = 0;
  stream: ClientStream | undefined;
  why: Abort | undefined;
  error: UpstreamConnectError | undefined;
  /** Of the answer, and not given back. */
  held = 0;
  onHead: (() => void) | undefined;
  onLast: (() => void) | undefined;
  readonly done: Promise<this>;
  #resolve: (whole: this) => void = () => {};
  #isOver = false;
  readonly #options: RecordOptions;
  readonly #unsent: Buffer[];

  constructor(options: RecordOptions = {}) {
    this.#options = options;
    this.#unsent = [...(options.body ?? [])];
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get body(): string {
    return Buffer.concat(this.pieces).toString("latin1");
  }

  /** Octets of the body that the connection has not taken. */
  get unsent(): number {
    return this.#unsent.reduce((sum, { length }) => sum + length, 0);
  }

  /** The calls, without what depends on how bytes were cut. */
  get summary(): string {
    return `${this.calls.join("; ")} | ${this.body}`;
  }

  /** Gives back what is held. */
  consume(): void {
    const octets = this.held;
    this.held = 0;
    this.stream?.consumed(octets);
  }

  failed(error: UpstreamConnectError): void {
    this.error = error;
    this.#end("failed");
  }

  sent(stream: ClientStream): void {
    this.stream = stream;
    if (this.#options.body !== undefined) this.writable();
  }

  interim({ status, fields }: ReceivedAnswer): void {
    this.calls.push(
      [`interim ${status}`, ...fieldsOf(fields).map((pair) => pair.join("="))].join(" "),
    );
  }

  head(answer: ReceivedAnswer, following: Following): void {
    this.status = answer.status;
    this.fields.push(...fieldsOf(answer.fields));
    const length = answer.contentLength >= 0 ? ` length ${answer.contentLength}` : "";
    const behind = answer.isSwitch ? " switch" : "";
    this.calls.push(`head ${answer.protocol} ${answer.status}${length}${behind}`);
    this.onHead?.();
    if (following === "last") this.#end("last");
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (to > from) {
      this.pieces.push(Buffer.from(bytes.subarray(from, to)));
      if (this.calls.at(-1) !== "data") this.calls.push(this.#isOver ? "late: data" : "data");
      this.held += to - from;
      if (this.#options.consumption !== "by hand") this.consume();
    }
    if (following === "last") this.#end("last");
  }

  trailers(fields: ReceivedFields): void {
    this.#end(
      `trailers ${fieldsOf(fields)
        .map((pair) => pair.join("="))
        .join(" ")}`,
    );
  }

  aborted(why: Abort): void {
    this.why = why;
    this.#end(why.cause === "malformed" ? `aborted ${why.details}` : `aborted ${why.cause}`);
  }

  writable(): void {
    const { stream } = this;
    while (stream !== undefined && this.#unsent.length > 0) {
      const piece = this.#unsent[0] ?? Buffer.alloc(0);
      const isLast = this.#unsent.length === 1 && this.#options.trailers === undefined;
      const taken = stream.data(piece, 0, piece.length, isLast ? "last" : "more");
      if (taken < piece.length) {
        this.#unsent[0] = piece.subarray(taken);
        return;
      }
      this.#unsent.shift();
      if (this.#unsent.length > 0 || this.#options.trailers === undefined) continue;
      stream.trailers(heldFields(this.#options.trailers));
    }
  }

  /** What is told when all is over is a fault of whoever tells it. */
  #end(call: string): void {
    this.calls.push(this.#isOver ? `late: ${call}` : call);
    this.#isOver = true;
    this.onLast?.();
    this.#resolve(this);
  }
}

function fieldsOf(fields: ReceivedFields): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < fields.count; index++) {
    if (fields.goesOn(index)) pairs.push([fieldName(fields, index), fieldValue(fields, index)]);
  }
  return pairs;
}

export function fieldOf(answer: RecordedAnswer, name: string): string | undefined {
  const { name: wanted } = new FieldLookup(name);
  return answer.fields.find(([known]) => known.toLowerCase() === wanted)?.[1];
}

export function heldFields(fields: Readonly<Record<string, string>>): HeldFields {
  const held = HeldFields.borrow();
  for (const [name, value] of Object.entries(fields)) held.add(name, value);
  return held;
}

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly fields?: Readonly<Record<string, string>> | HeldFields;
  readonly contentLength?: number;
  readonly upgrade?: "websocket" | "tunnel";
}

export function outgoingRequest(parts: RequestParts = {}): OutgoingRequest {
  const { fields = {}, contentLength = -1, upgrade } = parts;
  return {
    method: parts.method ?? "GET",
    path: parts.path ?? "/",
    authority: parts.authority ?? "callee.test",
    scheme: "http",
    fields: fields instanceof HeldFields ? fields : heldFields(fields),
    contentLength,
    ...(upgrade && { upgrade }),
  };
}

/** Sends a request, with the body that the options name. */
export function ask(
  connections: UpstreamConnections,
  parts: RequestParts = {},
  options: RecordOptions = {},
): RecordedAnswer & { sending?: Sending } {
  const answer: RecordedAnswer & { sending?: Sending } = new RecordedAnswer(options);
  const following = options.body === undefined ? "last" : "more";
  answer.sending = connections.send(outgoingRequest(parts), following, answer);
  return answer;
}
