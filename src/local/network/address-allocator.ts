/**
 * Addresses of pods and services. A key keeps its own as long as it is retained; one given back is not given to somebody
 * else at once, since callers may still have it in mind.
 */
import type { IpAddresses } from "../../policy/workload.ts";
import { FabricError } from "./fabric-error.ts";

/** Of 65,536: the first is the network, the second the router, the last is for everybody. */
const FIRST = 2;
const LAST = 65_534;

interface Range {
  readonly what: string;
  /** First two octets. */
  readonly ipv4: string;
  /** All but the last group. */
  readonly ipv6: string;
}

const PODS: Range = { what: "pod", ipv4: "10.244", ipv6: "fd00:10:244:" };
const SERVICES: Range = { what: "service", ipv4: "10.96", ipv6: "fd00:10:96:" };

export class AddressAllocator {
  readonly #pods: NumberPool = new NumberPool(PODS);
  readonly #services: NumberPool = new NumberPool(SERVICES);

  /**
   * @param key `namespace/pod`
   * @throws FabricError when none is left
   */
  podAddresses(key: string): IpAddresses {
    return this.#pods.addresses(key);
  }

  /**
   * @param key `namespace/service`
   * @throws FabricError when none is left
   */
  serviceAddresses(key: string): IpAddresses {
    return this.#services.addresses(key);
  }

  /** Takes back the addresses of all others. */
  retain(keys: { readonly pods: Iterable<string>; readonly services: Iterable<string> }): void {
    this.#pods.retain(new Set(keys.pods));
    this.#services.retain(new Set(keys.services));
  }
}

class NumberPool {
  readonly #range: Range;
  readonly #held: Map<string, number> = new Map();
  readonly #taken: Set<number> = new Set();
  #next = FIRST;

  constructor(range: Range) {
    this.#range = range;
  }

  addresses(key: string): IpAddresses {
    const number = this.#held.get(key) ?? this.#take(key);
    const { ipv4, ipv6 } = this.#range;
    return {
      ipv4: `${ipv4}.${number >> 8}.${number & 255}`,
      ipv6: `${ipv6}:${number.toString(16)}`,
    };
  }

  retain(keys: ReadonlySet<string>): void {
    for (const [key, number] of this.#held) {
      if (keys.has(key)) continue;
      this.#held.delete(key);
      this.#taken.delete(number);
    }
  }

  /** The lowest that was never given, and from the start again once all were. */
  #take(key: string): number {
    if (this.#taken.size > LAST - FIRST) {
      throw new FabricError(`no ${this.#range.what} address is left for ${key}`);
    }
    while (this.#taken.has(this.#next)) this.#advance();
    const number = this.#next;
    this.#advance();
    this.#held.set(key, number);
    this.#taken.add(number);
    return number;
  }

  #advance(): void {
    this.#next = this.#next === LAST ? FIRST : this.#next + 1;
  }
}
