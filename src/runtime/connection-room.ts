/**
 * Room for so many connections. When it is full, whoever holds the most of them gives up the one that has been idle
 * longest: strangers who come in crowds push out one another, and nobody is locked out.
 */
import type { Socket } from "node:net";

/** A connection's place in a room. */
export interface ConnectionPlace {
  /** The connection is worked for until `idle` has been called as often; who is worked for gives way last. */
  busy(): void;
  idle(): void;
  /** It counts as new again. */
  renew(): void;
  /** Another may have the place; the connection stays open. */
  leave(): void;
}

interface Guest extends ConnectionPlace {
  readonly socket: Socket;
  readonly group: string;
  /** Of `performance.now()`. */
  since: number;
  work: number;
}

export class ConnectionRoom {
  readonly #size: number;
  readonly #onMadeRoom: (socket: Socket) => void;
  /** By who holds them; those that have been idle longest first. */
  readonly #groups: Map<string, Set<Guest>> = new Map();
  #count = 0;

  /** @param options.onMadeRoom hears of each connection that is closed because the room is full, just before it is */
  constructor({
    size,
    onMadeRoom = () => {},
  }: { readonly size: number; readonly onMadeRoom?: (socket: Socket) => void }) {
    this.#size = size;
    this.#onMadeRoom = onMadeRoom;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * The place is left by itself when the connection closes.
   *
   * @param group who holds it, as far as that can be told
   * @returns undefined when nobody could give way: then the connection has been closed
   */
  enter(socket: Socket, group = ""): ConnectionPlace | undefined {
    if (this.#count >= this.#size && !this.#makeRoomFor(group)) {
      this.#onMadeRoom(socket);
      socket.destroy();
      return undefined;
    }
    const guest = this.#guest(socket, group);
    socket.once("close", guest.leave);
    this.#put(guest);
    return guest;
  }

  /** Closes those that have been idle since an instant of `performance.now()`, or for longer. */
  closeIdleSince(instant: number): void {
    for (const guests of [...this.#groups.values()])
      for (const guest of [...guests]) if (guest.work === 0 && guest.since <= instant) close(guest);
  }

  #guest(socket: Socket, group: string): Guest {
    const guest: Guest = {
      socket,
      group,
      since: performance.now(),
      work: 0,
      busy: () => void guest.work++,
      idle: () => void guest.work--,
      renew: () => {
        if (!this.#take(guest)) return;
        guest.since = performance.now();
        this.#put(guest);
      },
      leave: () => {
        socket.removeListener("close", guest.leave);
        this.#take(guest);
      },
    };
    return guest;
  }

  /** Where all that the largest holder has are worked for, one of them goes only for somebody who holds fewer. */
  #makeRoomFor(group: string): boolean {
    const own: ReadonlySet<Guest> = this.#groups.get(group) ?? new Set();
    let largest = own;
    for (const guests of this.#groups.values()) if (guests.size > largest.size) largest = guests;
    const [oldest] = largest;
    const idle = firstIdle(largest);
    const victim = idle ?? (own.size + 1 < largest.size ? oldest : undefined);
    if (victim === undefined) return false;
    this.#onMadeRoom(victim.socket);
    close(victim);
    return true;
  }

  #put(guest: Guest): void {
    const guests = this.#groups.get(guest.group) ?? new Set();
    this.#groups.set(guest.group, guests.add(guest));
    this.#count++;
  }

  /** @returns whether it was there */
  #take(guest: Guest): boolean {
    const guests = this.#groups.get(guest.group);
    if (guests?.delete(guest) !== true) return false;
    if (guests.size === 0) this.#groups.delete(guest.group);
    this.#count--;
    return true;
  }
}

function close(guest: Guest): void {
  guest.leave();
  guest.socket.destroy();
}

function firstIdle(guests: ReadonlySet<Guest>): Guest | undefined {
  for (const guest of guests) if (guest.work === 0) return guest;
  return undefined;
}
