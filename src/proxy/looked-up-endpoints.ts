/**
 * The endpoints of a view that are given by name (resolution DNS of a ServiceEntry): looked up again and again, as long as
 * a view names them. What was found last stays in use while nobody answers.
 */
import type { LookedUpEndpoint } from "../policy/service-entry-terms.ts";
import type { Destination, Endpoint, WorkloadView } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { FoundAddresses, NameLookup } from "./name-lookup.ts";

/** As `dnsRefreshRate` of Istio's mesh configuration would say, but soon enough for a machine where people try things. */
const REFRESH_MS = 30_000;
const SOONEST_MS = 5_000;
const LATEST_MS = 300_000;
/** After failures, growing up to `REFRESH_MS`. */
const RETRY_MS = 1_000;
/** Those beyond are never looked up: calls to them fail. */
const MAX_NAMES = 1_000;

export interface LookedUpEndpointsOptions {
  readonly lookUp: NameLookup;
  readonly log: Log;
  /** Other addresses than before: `resolved` says something else now. */
  readonly changed: () => void;
}

interface Name {
  readonly host: string;
  addresses: readonly string[];
  failures: number;
  problem: string | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Of the first lookup. */
  readonly first: Promise<void>;
}

export class LookedUpEndpoints {
  readonly #options: LookedUpEndpointsOptions;
  readonly #names: Map<string, Name> = new Map();
  #isClosed = false;

  constructor(options: LookedUpEndpointsOptions) {
    this.#options = options;
  }

  /** The view with all endpoints that are known now; the same object where it names none to be looked up. */
  resolved(view: WorkloadView): WorkloadView {
    const { outbound } = view;
    const { destinations, subsets } = outbound;
    this.#follow([...destinations, ...(subsets ?? [])]);
    if (this.#names.size === 0) return view;
    return {
      ...view,
      outbound: {
        ...outbound,
        destinations: destinations.map((one) => this.#withEndpoints(one)),
        ...(subsets && { subsets: subsets.map((one) => this.#withEndpoints(one)) }),
      },
    };
  }

  /** Once every name of the newest view was asked for, or so many milliseconds are over. */
  async settled(mostMs: number): Promise<void> {
    if (this.#names.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, mostMs);
    });
    await Promise.race([Promise.all([...this.#names.values()].map(({ first }) => first)), late]);
    clearTimeout(timer);
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#names.values()) clearTimeout(timer);
    this.#names.clear();
  }

  #follow(destinations: readonly Destination[]): void {
    const wanted = new Set(
      destinations.flatMap(({ serviceEntry }) => serviceEntry?.lookUp?.map(nameOf) ?? []),
    );
    for (const [host, { timer }] of this.#names) {
      if (wanted.has(host)) continue;
      clearTimeout(timer);
      this.#names.delete(host);
    }
    for (const host of wanted) if (!this.#names.has(host)) this.#add(host);
  }

  #add(host: string): void {
    if (this.#isClosed || this.#names.size >= MAX_NAMES) return;
    let begun = (): void => {};
    const first = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const name: Name = {
      host,
      addresses: [],
      failures: 0,
      problem: undefined,
      timer: undefined,
      first,
    };
    this.#names.set(host, name);
    this.#lookUp(name).then(begun, begun);
  }

  async #lookUp(name: Name): Promise<void> {
    try {
      this.#use(name, await this.#options.lookUp(name.host));
    } catch (error) {
      this.#fail(name, describeError(error));
    }
  }

  #use(name: Name, { addresses, ttlMs = REFRESH_MS }: FoundAddresses): void {
    if (name.problem !== undefined) {
      this.#options.log.info("host found again", { host: name.host });
    }
    name.failures = 0;
    name.problem = undefined;
    this.#again(name, Math.min(LATEST_MS, Math.max(SOONEST_MS, ttlMs)));
    if (JSON.stringify(addresses) === JSON.stringify(name.addresses)) return;
    name.addresses = addresses;
    if (this.#isCurrent(name)) this.#options.changed();
  }

  #fail(name: Name, problem: string): void {
    name.failures++;
    this.#again(name, Math.min(REFRESH_MS, RETRY_MS * 2 ** Math.min(name.failures - 1, 10)));
    if (problem === name.problem || !this.#isCurrent(name)) return;
    name.problem = problem;
    this.#options.log.warn("host not found", {
      host: name.host,
      problem,
      meanwhile: name.addresses.length === 0 ? "calls fail" : "its last addresses stay in use",
    });
  }

  #again(name: Name, afterMs: number): void {
    if (!this.#isCurrent(name)) return;
    name.timer = setTimeout(() => this.#lookUp(name), afterMs).unref();
  }

  #isCurrent(name: Name): boolean {
    return this.#names.get(name.host) === name;
  }

  #withEndpoints<D extends Destination>(destination: D): D {
    const { lookUp } = destination.serviceEntry ?? {};
    if (lookUp === undefined) return destination;
    const found = lookUp.flatMap((one) => this.#endpointsOf(one, destination));
    return { ...destination, endpoints: [...destination.endpoints, ...found] };
  }

  /** With `DNS_ROUND_ROBIN` the first address alone serves new connections, whatever else the name has. */
  #endpointsOf(
    { workload, host, port, mutualTls }: LookedUpEndpoint,
    { serviceEntry }: Destination,
  ): readonly Endpoint[] {
    const addresses = this.#names.get(host)?.addresses ?? [];
    const used = serviceEntry?.resolution === "DNS_ROUND_ROBIN" ? addresses.slice(0, 1) : addresses;
    return used.map((address) => ({ workload, address: { address, port }, mutualTls }));
  }
}

function nameOf({ host }: LookedUpEndpoint): string {
  return host;
}
