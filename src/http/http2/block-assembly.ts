/** A head or trailers that come in several frames, until the last of them (RFC 9113 section 6.10). */
import { MAX_BLOCK, MAX_CONTINUATIONS } from "./limits.ts";

export class BlockAssembly {
  /** The stream that it is of; 0 when there is none. */
  id = 0;
  length = 0;
  #bytes: Buffer | undefined;
  #frames = 0;

  get bytes(): Buffer {
    return this.#bytes ?? NOTHING;
  }

  /** Octets of memory. */
  get held(): number {
    return this.#bytes?.length ?? 0;
  }

  begin(id: number): void {
    this.id = id;
    this.length = 0;
    this.#frames = 0;
  }

  /** @returns "" or, in words, why there is too much of it */
  append(source: Buffer, from: number, to: number): string {
    const length = this.length + to - from;
    if (length > MAX_BLOCK) return "a head of too many octets";
    // The first is HEADERS.
    if (this.#frames++ > MAX_CONTINUATIONS) return "a head of too many frames";
    const before = this.#bytes;
    if (before === undefined || before.length < length) {
      this.#bytes = Buffer.allocUnsafe(Math.min(MAX_BLOCK, 2 * length));
      before?.copy(this.#bytes, 0, 0, this.length);
    }
    source.copy(this.bytes, this.length, from, to);
    this.length = length;
    return "";
  }

  /** Forgets it, and keeps no memory. */
  end(): void {
    this.id = 0;
    this.#bytes = undefined;
  }
}

const NOTHING = Buffer.alloc(0);
