/** The keys of each limit, as long as the limit says the same: one of other figures begins anew. */
import type { Count } from "./counters.ts";
import { KeyRoom } from "./key-room.ts";
import { idleMs } from "./token-debts.ts";

/** More limits than a mesh has at once; beyond it the one that was not asked about for longest is forgotten. */
const MAX_LIMITS = 10_000;

/** Of all limits together. */
const MAX_KEYS = 200_000;
/** Of each limit, however many keys the others have: a workload whose limits have all there are takes none of these. */
export const OWN_KEYS = 100;
/** While there is no room. */
const SWEEP_MS = 1_000;

export interface LimitRoomsOptions {
  readonly maxKeys?: number;
  readonly ownKeys?: number;
  readonly maxLimits?: number;
  /** Of a limit. */
  readonly crowds?: number;
}

export class LimitRooms<T> {
  /** The least recently asked about first. */
  readonly #rooms: Map<string, KeyRoom<T>> = new Map();
  readonly #maxKeys: number;
  readonly #ownKeys: number;
  readonly #maxLimits: number;
  readonly #crowds: Pick<LimitRoomsOptions, "crowds">;
  #keys = 0;
  #nextSweep = 0;

  constructor({
    maxKeys = MAX_KEYS,
    ownKeys = OWN_KEYS,
    maxLimits = MAX_LIMITS,
    ...crowds
  }: LimitRoomsOptions = {}) {
    this.#maxKeys = maxKeys;
    this.#ownKeys = ownKeys;
    this.#maxLimits = maxLimits;
    this.#crowds = crowds;
  }

  enter(count: Count, now: number, make: () => T): { readonly key: string; readonly value: T } {
    const name = nameOf(count);
    const room = this.#rooms.get(name) ?? this.#makeRoom(count);
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    const newcomers = this.#newcomersOf(room, now);
    const before = room.size;
    const found = room.enter(count.key, { now, newcomers, make });
    this.#keys += room.size - before;
    return found;
  }

  /** As `enter`, and nobody enters. */
  find(count: Count, now: number): { readonly key: string; readonly value?: T } {
    const room = this.#rooms.get(nameOf(count));
    if (room === undefined) return { key: count.key };
    const before = room.size;
    const found = room.find(count.key, { now, newcomers: this.#newcomersOf(room, now) });
    this.#keys += room.size - before;
    return found;
  }

  #newcomersOf(room: KeyRoom<T>, now: number): "welcome" | "refused" {
    return room.size < this.#ownKeys || this.#hasRoom(now) ? "welcome" : "refused";
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

  #makeRoom(count: Count): KeyRoom<T> {
    if (this.#rooms.size >= this.#maxLimits) this.#forgetOldest();
    return new KeyRoom<T>({ lifeMs: idleMs(count), ...this.#crowds });
  }

  #forgetOldest(): void {
    const [oldest] = this.#rooms;
    if (oldest === undefined) return;
    const [name, { size }] = oldest;
    this.#rooms.delete(name);
    this.#keys -= size;
  }
}

function nameOf({ limit, rate, burst, fair }: Count): string {
  return `${limit} ${rate} ${burst} ${fair}`;
}
