/**
 * Connections that have not shown the token yet: there is room for so many, and whoever has been idle longest gives way.
 * Those that have are not counted, so that nobody on this machine pushes out a client's watch.
 */
import type { Socket } from "node:net";
import { type ConnectionPlace, ConnectionRoom } from "../../../runtime/connection-room.ts";

export class StrangerConnections {
  readonly #room: ConnectionRoom;
  readonly #places: Map<string, ConnectionPlace> = new Map();
  readonly #sockets: Set<Socket> = new Set();

  /** @param size most that are open at once */
  constructor(size: number) {
    this.#room = new ConnectionRoom({ size });
  }

  enter(socket: Socket): void {
    const remote = remoteOf(socket);
    const place = this.#room.enter(socket);
    if (place === undefined) return;
    this.#sockets.add(socket);
    if (remote !== undefined) this.#places.set(remote, place);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (remote !== undefined && this.#places.get(remote) === place) this.#places.delete(remote);
    });
  }

  /** The other end has shown the token. */
  recognize(socket: Socket): void {
    const remote = remoteOf(socket);
    if (remote === undefined) return; // whoever passes connections on counts them
    this.#places.get(remote)?.leave();
    this.#places.delete(remote);
  }

  /** All, known ones too. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** @returns undefined on a Unix socket */
function remoteOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}
