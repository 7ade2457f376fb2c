/**
 * The endpoints of a view that are given by name (resolution DNS of a ServiceEntry): looked up again and again, as long as
 * a view names them. What was found last stays in use while nobody answers.
 */
import type { LookedUpEndpoint } from "../policy/service-entry-terms.ts";
import type { Destination, Endpoint, WorkloadView } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { FairTurns } from "./fair-turns.ts";
import type { FoundAddresses, NameLookup } from "./name-lookup.ts";

/** As `dnsRefreshRate` of Istio's mesh configuration would say, but soon enough for a machine where people try things. */
const REFRESH_MS = 30_000;
const SOONEST_MS = 5_000;
const LATEST_MS = 300_000;
/** After failures, growing up to `REFRESH_MS`. */
const RETRY_MS = 1_000;
/** Those beyond are never looked up: calls to them fail. The caller's own namespace comes first, and of the others each in turn. */
const MAX_NAMES = 1_000;
/** Asked for at once, of the hosts of one namespace. */
const MAX_ASKED = 4;

export interface LookedUpEndpointsOptions {
  readonly lookUp: NameLookup;
  readonly log: Log;
  /** Other addresses than before: `resolved` says something else now. */
  readonly changed: () => void;
}

interface Name {
  readonly host: string;
  /** Whose host it is. */
  readonly namespace: string;
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
  readonly #turns: FairTurns = new FairTurns(MAX_ASKED);
  #isClosed = false;
  /** Hosts that are not looked up, as told last. */
  #left = 0;

  constructor(options: LookedUpEndpointsOptions) {
    this.#options = options;
  }

  /** The view with all endpoints that are known now; the same object where it names none to be looked up. */
  resolved(view: WorkloadView): WorkloadView {
    const { outbound, workload } = view;
    const { destinations, subsets } = outbound;
    this.#follow(hostsOf([...destinations, ...(subsets ?? [])], workload.namespace));
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

  #follow(hosts: ReadonlyMap<string, string>): void {
    const wanted = new Map([...hosts].slice(0, MAX_NAMES));
    this.#tellLeft(hosts.size - wanted.size);
    for (const [host, { timer }] of this.#names) {
      if (wanted.has(host)) continue;
      clearTimeout(timer);
      this.#names.delete(host);
    }
    for (const [host, namespace] of wanted) if (!this.#names.has(host)) this.#add(host, namespace);
  }

  #tellLeft(left: number): void {
    if (left === this.#left) return;
    this.#left = left;
    if (left > 0) this.#options.log.warn("too many hosts to look up", { left, most: MAX_NAMES });
  }

  #add(host: string, namespace: string): void {
    if (this.#isClosed) return;
    let begun = (): void => {};
    const first = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const name: Name = {
      host,
      namespace,
      addresses: [],
      failures: 0,
      problem: undefined,
      timer: undefined,
      first,
    };
    this.#names.set(host, name);
    this.#inTurn(name).then(begun, begun);
  }

  #inTurn(name: Name): Promise<void> {
    return this.#turns.run(name.namespace, () => this.#lookUp(name));
  }

  async #lookUp(name: Name): Promise<void> {
    if (!this.#isCurrent(name)) return;
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
    name.timer = setTimeout(() => void this.#inTurn(name), afterMs).unref();
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

/** By host its namespace: those of `own` first, then one of each namespace in turn, so that none takes the place of others. */
function hostsOf(destinations: readonly Destination[], own: string): ReadonlyMap<string, string> {
  const byNamespace = new Map<string, Set<string>>([[own, new Set()]]);
  for (const { serviceNamespace, serviceEntry } of destinations) {
    if (serviceEntry?.lookUp === undefined) continue;
    const hosts = byNamespace.get(serviceNamespace) ?? new Set();
    byNamespace.set(serviceNamespace, hosts);
    for (const { host } of serviceEntry.lookUp) hosts.add(host);
  }
  const found = new Map([...(byNamespace.get(own) ?? [])].map((host) => [host, own]));
  byNamespace.delete(own);
  const others = [...byNamespace].map(([namespace, hosts]) => [namespace, [...hosts]] as const);
  const longest = Math.max(0, ...others.map(([, hosts]) => hosts.length));
  for (let at = 0; at < longest; at++) {
    for (const [namespace, hosts] of others) {
      const host = hosts[at];
      if (host !== undefined && !found.has(host)) found.set(host, namespace);
    }
  }
  return found;
}
