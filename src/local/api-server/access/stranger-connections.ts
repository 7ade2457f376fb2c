/**
 * Connections that have not shown the token yet: there is room for so many, and whoever has been idle longest gives way.
 * Those that have are not counted, so that nobody on this machine pushes out a client's watch.
 */
import type { Socket } from "node:net";
import { type ConnectionPlace, ConnectionRoom } from "../../../runtime/connection-room.ts";

export class StrangerConnections {
  readonly #room: ConnectionRoom;
  /** By what is spoken over them, since clients over a Unix socket have no address. */
  readonly #places: WeakMap<Socket, ConnectionPlace> = new WeakMap();
  readonly #sockets: Set<Socket> = new Set();

  /** @param size most that are open at once */
  constructor(size: number) {
    this.#room = new ConnectionRoom({ size });
  }

  /** @param secured the same connection, as requests know it */
  enter(socket: Socket, secured: Socket): void {
    const place = this.#room.enter(socket);
    if (place === undefined) return;
    this.#sockets.add(socket);
    this.#places.set(secured, place);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** The other end has shown the token. */
  recognize(secured: Socket): void {
    this.#places.get(secured)?.leave();
    this.#places.delete(secured);
  }

  /** All, known ones too. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
