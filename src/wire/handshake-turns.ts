/**
 * TLS handshakes of those that come at once begin in turn: each keeps the process busy for milliseconds, and a thousand in
 * one piece would hold up all that is urgent for those that are connected. Nobody is refused, and nobody who takes his time
 * keeps others waiting for long: the next one begins then, too.
 */
import type { Socket } from "node:net";
import { remoteOf } from "./client-connections.ts";

export interface HandshakeTurnsOptions {
  /** Under way at the same time, unless they take long. */
  readonly size: number;
  /** After which the next may begin, whether or not the one before is over. */
  readonly turnMs: number;
  /** Begins a handshake, on a socket of which nothing was read yet. */
  readonly begin: (socket: Socket) => void;
}

export class HandshakeTurns {
  readonly #options: HandshakeTurnsOptions;
  readonly #waiting: Set<Socket> = new Set();
  /** By where they come from: the end of each turn. */
  readonly #turns: Map<string, NodeJS.Timeout> = new Map();

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  arrived(socket: Socket): void {
    if (socket.destroyed) return;
    const remote = remoteOf(socket);
    socket.once("close", () => {
      this.#waiting.delete(socket);
      this.over(remote);
    });
    this.#waiting.add(socket);
    this.#beginNext();
  }

  /** @param remote `address:port` of whose handshake is over, however it ended */
  over(remote: string): void {
    const turn = this.#turns.get(remote);
    if (turn === undefined) return;
    clearTimeout(turn);
    this.#turns.delete(remote);
    this.#beginNext();
  }

  /** Those that wait are closed. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    for (const turn of this.#turns.values()) clearTimeout(turn);
    this.#turns.clear();
  }

  #beginNext(): void {
    const { size, turnMs, begin } = this.#options;
    for (const socket of this.#waiting) {
      if (this.#turns.size >= size) return;
      this.#waiting.delete(socket);
      const remote = remoteOf(socket);
      this.#turns.set(
        remote,
        setTimeout(() => this.over(remote), turnMs),
      );
      begin(socket);
    }
  }
}
