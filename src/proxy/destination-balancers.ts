/** The balancers of all destinations, each as long as views name its destination; one interval looks after them all. */
import type { Destination } from "../policy/workload-view.ts";
import type { Log } from "../runtime/log.ts";
import type { Chance } from "./balancing/load-balancer.ts";
import { DestinationBalancer, type DestinationEvents } from "./destination-balancer.ts";
import { formatAddress } from "./format-address.ts";
import { type DestinationName, outboundCluster } from "./outbound-call.ts";

/** How late an endpoint may be taken back. */
const LOOK_EVERY_MS = 250;

export interface DestinationBalancersOptions {
  readonly chance: Chance;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export class DestinationBalancers {
  readonly #options: DestinationBalancersOptions;
  readonly #now: () => number;
  readonly #events: DestinationEvents;
  #balancers: ReadonlyMap<string, DestinationBalancer> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DestinationBalancersOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#events = tellEvents(options.log);
  }

  /** As the newest view has them. Those that it does not name any more are forgotten; calls to them go on. */
  apply(destinations: readonly Destination[]): void {
    const before = this.#balancers;
    this.#balancers = new Map(
      destinations.map((destination) => {
        const key = outboundCluster(destination);
        const known = before.get(key);
        known?.update(destination);
        return [key, known ?? this.#make(destination)];
      }),
    );
    const anyDetects = [...this.#balancers.values()].some(
      ({ policy }) => policy.outlierDetection !== undefined,
    );
    if (!anyDetects) this.close();
    else this.#timer ??= setInterval(() => this.#sweep(), LOOK_EVERY_MS).unref();
  }

  /** @returns undefined where the newest view has no such destination */
  of(destination: DestinationName): DestinationBalancer | undefined {
    return this.#balancers.get(outboundCluster(destination));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #make(destination: Destination): DestinationBalancer {
    const { chance } = this.#options;
    return new DestinationBalancer(destination, { chance, now: this.#now, events: this.#events });
  }

  #sweep(): void {
    const now = this.#now();
    for (const balancer of this.#balancers.values()) balancer.sweep(now);
  }
}

function tellEvents(log: Log): DestinationEvents {
  return {
    ejected(destination, { workload, address }, cause) {
      const cluster = outboundCluster(destination);
      log.warn("outlier ejected", { cluster, workload, endpoint: formatAddress(address), cause });
    },
    returned(destination, { workload, address }) {
      const cluster = outboundCluster(destination);
      log.info("outlier returned", { cluster, workload, endpoint: formatAddress(address) });
    },
  };
}
