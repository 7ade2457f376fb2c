/**
 * Asks another name server over one stream connection that many queries share (RFC 7766 section 6.2.1), opened when there
 * is something to ask and closed when there was nothing for a while. Nobody else can answer on a stream.
 */
import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import { readDnsEnvelope, sameDnsQuestion, withDnsId } from "../runtime/dns-envelope.ts";
import { frameDnsMessage, readDnsMessages } from "../runtime/dns-stream.ts";

const TIMEOUT_MS = 6_000;
/** Below that of our own servers, so that it is mostly we who close. */
const IDLE_MS = 5_000;
/** Of 65,536 ids; a server that owes more answers is not asked further. */
const MAX_ASKED = 1_024;
const IDS = 65_536;

export interface DnsForwarderOptions {
  /** A new connection, or one that is still being made; its errors are heard here. */
  readonly connect: () => Socket;
  /** Said first on each connection. */
  readonly preface?: string;
  /** Milliseconds that one query may take, with everything. */
  readonly timeoutMs?: number;
}

interface Asked {
  readonly query: Buffer;
  readonly question: Buffer;
  readonly answer: Deferred<Buffer | undefined>;
  /** Gives its id on the connection free. */
  withdraw: () => void;
}

interface Connection {
  readonly socket: Socket;
  readonly asked: Map<number, Asked>;
  state: "fresh" | "proven";
}

export class DnsForwarder {
  readonly #options: DnsForwarderOptions;
  #connection: Connection | undefined;

  constructor(options: DnsForwarderOptions) {
    this.#options = options;
  }

  /**
   * @param query well formed, with one question
   * @returns the answer under the query's own id; undefined when there was none in time
   */
  async ask(query: Buffer): Promise<Buffer | undefined> {
    const envelope = readDnsEnvelope(query);
    if (envelope?.question === undefined) return undefined;
    const answer = createDeferred<Buffer | undefined>();
    const timer = setTimeout(() => answer.resolve(undefined), this.#timeoutMs);
    const asked = { query, question: envelope.question, answer, withdraw: () => {} };
    this.#send(asked);
    const reply = await answer.promise;
    clearTimeout(timer);
    asked.withdraw();
    return reply === undefined ? undefined : withDnsId(reply, envelope.id);
  }

  close(): void {
    this.#connection?.socket.destroy();
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? TIMEOUT_MS;
  }

  #send(asked: Asked): void {
    this.#connection ??= this.#connect();
    const { socket, asked: others } = this.#connection;
    if (others.size >= MAX_ASKED) {
      asked.answer.resolve(undefined);
      return;
    }
    let id = randomInt(IDS);
    while (others.has(id)) id = randomInt(IDS);
    others.set(id, asked);
    asked.withdraw = () => others.delete(id);
    socket.write(frameDnsMessage(withDnsId(asked.query, id)));
  }

  #connect(): Connection {
    const socket = this.#options.connect();
    const connection: Connection = { socket, asked: new Map(), state: "fresh" };
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.once("close", () => this.#onClose(connection));
    socket.setTimeout(Math.max(IDLE_MS, this.#timeoutMs), () => socket.destroy());
    readDnsMessages(socket, (message) => this.#receive(connection, message));
    if (this.#options.preface !== undefined) socket.write(this.#options.preface);
    return connection;
  }

  #receive(connection: Connection, message: Buffer): void {
    const envelope = readDnsEnvelope(message);
    if (envelope?.kind !== "response") return;
    const asked = connection.asked.get(envelope.id);
    if (asked === undefined || !answers(envelope.question, asked.question)) return;
    asked.withdraw();
    connection.state = "proven";
    asked.answer.resolve(message);
  }

  /** A server may close a connection just when we ask: what was asked on one that had worked is asked once more. */
  #onClose(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    const unanswered = [...connection.asked.values()];
    connection.asked.clear();
    for (const asked of unanswered) {
      if (connection.state === "proven") this.#send(asked);
      else asked.answer.resolve(undefined);
    }
  }
}

/** A failure may come without the question. */
function answers(answered: Buffer | undefined, asked: Buffer): boolean {
  return answered === undefined || sameDnsQuestion(answered, asked);
}
