/** The keys of each limit, as long as the limit says the same: one of other figures begins anew. */
import type { Count } from "./counters.ts";
import { KeyRoom } from "./key-room.ts";
import { idleMs } from "./token-shares.ts";

/** More limits than a mesh has at once; beyond it the one that came first is forgotten. */
const MAX_LIMITS = 1_000;

/** Of all limits together. */
const MAX_KEYS = 200_000;
/** While there is no room. */
const SWEEP_MS = 1_000;

export class LimitRooms<T> {
  readonly #rooms: Map<string, KeyRoom<T>> = new Map();
  readonly #maxKeys: number;
  #keys = 0;
  #nextSweep = 0;

  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  enter(count: Count, now: number, make: () => T): { readonly key: string; readonly value: T } {
    const room = this.#roomOf(count);
    const newcomers = this.#hasRoom(now) ? "welcome" : "refused";
    const before = room.size;
    const found = room.enter(count.key, { now, newcomers, make });
    this.#keys += room.size - before;
    return found;
  }

  /** Limits that nobody asks about any more take no room from the others for long. */
  #hasRoom(now: number): boolean {
    if (this.#keys < this.#maxKeys || now < this.#nextSweep) return this.#keys < this.#maxKeys;
    this.#nextSweep = now + SWEEP_MS;
    this.#keys = 0;
    for (const room of this.#rooms.values()) {
      room.forget(now);
      this.#keys += room.size;
    }
    return this.#keys < this.#maxKeys;
  }

  #roomOf(count: Count): KeyRoom<T> {
    const { limit, rate, burst } = count;
    const name = `${limit} ${rate} ${burst}`;
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    if (this.#rooms.size >= MAX_LIMITS) this.#forgetOldest();
    const room = new KeyRoom<T>(idleMs(count));
    this.#rooms.set(name, room);
    return room;
  }

  #forgetOldest(): void {
    const [oldest] = this.#rooms;
    if (oldest === undefined) return;
    const [name, { size }] = oldest;
    this.#rooms.delete(name);
    this.#keys -= size;
  }
}
