/**
 * What came on a socket and is read a turn's worth at a time: few octets can ask for much work, and whoever sends them
 * should not hold up all others.
 */
import { atEndOfTurn, type EndOfTurn } from "./end-of-turn.ts";
import { HeldBytes } from "./http-server-held-bytes.ts";
import type { SocketEnd } from "./socket-end.ts";

export interface PacedReader {
  /** @returns where it stopped; before `to`: the rest is to come in another turn */
  readSome(bytes: Buffer, from: number, to: number): number;
}

export class PacedInput implements EndOfTurn {
  readonly #reader: PacedReader;
  readonly #end: Pick<SocketEnd, "pause" | "resume">;
  readonly #rest: HeldBytes = new HeldBytes();

  /** @param end pauses while anything waits */
  constructor(reader: PacedReader, end: Pick<SocketEnd, "pause" | "resume">) {
    this.#reader = reader;
    this.#end = end;
  }

  /** The buffer is the caller's again when this returns. */
  receive(bytes: Buffer, from: number, to: number): void {
    if (this.#rest.length > 0) {
      this.#rest.append(bytes, from, to);
      return;
    }
    const at = this.#reader.readSome(bytes, from, to);
    if (at === to) return;
    this.#rest.append(bytes, at, to);
    this.#end.pause();
    atEndOfTurn(this);
  }

  endOfTurn(): void {
    const { bytes, from, to } = this.#rest.lend();
    const at = this.#reader.readSome(bytes, from, to);
    this.#rest.keep(bytes, at, to);
    if (this.#rest.length > 0) atEndOfTurn(this);
    else this.#end.resume();
  }
}
