/** Reads heads where they lie, or in memory of our own while they come in pieces: then no byte is looked at twice. */
import { INCOMPLETE } from "../../http/http1/field-section.ts";
import { MAX_HEAD_BYTES, type MessageHead } from "../../http/http1/message-head.ts";

const FIRST_BYTES = 512;

interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** What has come of a head that is incomplete. */
interface Beginning<Head> {
  readonly scanner: Head;
  bytes: Buffer;
  length: number;
}

export class Http1HeadReader<Head extends MessageHead> {
  /** The head that was read, or refused, last; as it was until the next is read by anybody who shares it. */
  head: Head;
  readonly #shared: Head;
  readonly #create: () => Head;
  #beginning: Beginning<Head> | undefined;

  /**
   * @param shared one for all connections: a head is only looked at while it is told
   * @param create makes one for a head that is incomplete
   */
  constructor(shared: Head, create: () => Head) {
    this.head = shared;
    this.#shared = shared;
    this.#create = create;
  }

  /** Whether some of a head has come, but not all. */
  get isWithin(): boolean {
    return this.#beginning !== undefined;
  }

  /** @returns as `MessageHead.scan` does, but what has come of an incomplete head need not be given again */
  read(bytes: Buffer, from: number, to: number): number {
    if (this.#beginning !== undefined) return this.#goOn(this.#beginning, { bytes, from, to });
    const shared = this.#shared;
    this.head = shared;
    const end = shared.scan(bytes, from, to);
    if (end !== INCOMPLETE) return end;
    shared.abandon();
    const room = Math.min(MAX_HEAD_BYTES, Math.max(FIRST_BYTES, 2 * (to - from)));
    const memory = Buffer.allocUnsafeSlow(room);
    this.#beginning = { scanner: this.#create(), bytes: memory, length: 0 };
    return this.#goOn(this.#beginning, { bytes, from, to });
  }

  /** Forgets a head that is incomplete. */
  abandon(): void {
    this.#beginning = undefined;
  }

  #goOn(beginning: Beginning<Head>, { bytes, from, to }: Piece): number {
    const before = beginning.length;
    append(beginning, { bytes, from, to: Math.min(to, from + MAX_HEAD_BYTES - before) });
    this.head = beginning.scanner;
    const end = beginning.scanner.scan(beginning.bytes, 0, beginning.length);
    if (end === INCOMPLETE) return INCOMPLETE;
    this.#beginning = undefined;
    return end < 0 ? end : from + end - before;
  }
}

function append(beginning: { bytes: Buffer; length: number }, { bytes, from, to }: Piece): void {
  const needed = beginning.length + to - from;
  if (needed > beginning.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * needed, MAX_HEAD_BYTES));
    beginning.bytes.copy(larger, 0, 0, beginning.length);
    beginning.bytes = larger;
  }
  bytes.copy(beginning.bytes, beginning.length, from, to);
  beginning.length = needed;
}
