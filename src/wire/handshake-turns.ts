/**
 * TLS handshakes of those that come at once begin in turn: each keeps the process busy for milliseconds, and a thousand in
 * one piece would hold up all that is urgent for those that are connected. Nobody is refused, and nobody who takes his time
 * keeps others waiting for long: the next one begins then, too. Sources take turns, so that whoever opens many connections
 * and says nothing holds up himself.
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
  /** By source; the one whose turn is next comes first, and none is empty. */
  readonly #waiting: Map<string, Set<Socket>> = new Map();
  /** By where they come from: the end of each turn. */
  readonly #turns: Map<string, NodeJS.Timeout> = new Map();

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** @param source who it comes from, as far as that can be told */
  arrived(socket: Socket, source: string): void {
    if (socket.destroyed) return;
    const remote = remoteOf(socket);
    socket.once("close", () => {
      this.#leave(socket, source);
      this.over(remote);
    });
    this.#waiting.set(source, (this.#waiting.get(source) ?? new Set()).add(socket));
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
    for (const sockets of this.#waiting.values()) for (const socket of sockets) socket.destroy();
    this.#waiting.clear();
    for (const turn of this.#turns.values()) clearTimeout(turn);
    this.#turns.clear();
  }

  #beginNext(): void {
    const { size, turnMs, begin } = this.#options;
    while (this.#turns.size < size) {
      const socket = this.#takeNext();
      if (socket === undefined) return;
      const remote = remoteOf(socket);
      this.#turns.set(
        remote,
        setTimeout(() => this.over(remote), turnMs),
      );
      begin(socket);
    }
  }

  /** The first of the next source, which then waits for all others. */
  #takeNext(): Socket | undefined {
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    const [source, sockets] = next;
    const [socket] = sockets;
    if (socket === undefined) return undefined;
    this.#leave(socket, source);
    if (this.#waiting.delete(source)) this.#waiting.set(source, sockets);
    return socket;
  }

  #leave(socket: Socket, source: string): void {
    const sockets = this.#waiting.get(source);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#waiting.delete(source);
  }
}
