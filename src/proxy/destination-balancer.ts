/**
 * Which endpoint of one destination serves a call, and whether there may be another call at all: load balancing, outlier
 * detection and circuit breakers of one DestinationRule, or their defaults. It is kept over views: counts and ejections
 * stay with the endpoints that stay.
 */
import type { Socket } from "node:net";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveTrafficPolicy,
  type LoadBalancing,
} from "../policy/effective-traffic-policy.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, Endpoint } from "../policy/workload-view.ts";
import type { BalancedEndpoint } from "./balancing/balanced-endpoint.ts";
import { type CallHash, callHasher, type HashInput } from "./balancing/call-hash.ts";
import { chooseLoadBalancer } from "./balancing/choose-load-balancer.ts";
import { CircuitBreaker } from "./balancing/circuit-breaker.ts";
import { ConnectionPermit, dialCounted } from "./balancing/connection-permit.ts";
import { EndpointSet } from "./balancing/endpoint-set.ts";
import type { Chance, LoadBalancer } from "./balancing/load-balancer.ts";
import {
  type EjectionCause,
  OutlierDetection,
  type OutlierEvents,
} from "./balancing/outlier-detection.ts";
import { pickUntried } from "./balancing/pick-untried.ts";
import {
  type Carried,
  Selection,
  type SelectionParts,
  type SelectionProblem,
  type SelectionSource,
} from "./balancing/selection.ts";
import { type Hash64, Word64 } from "./balancing/word64.ts";
import { calledEndpoint, goesAsCalled } from "./called-destination.ts";
import { formatAddress } from "./format-address.ts";

export type CallSelection = Selection<Endpoint>;

export interface DestinationEvents {
  /** The endpoint is left out from now on. Told once for each ejection. */
  ejected(destination: Destination, endpoint: Endpoint, cause: EjectionCause): void;
  /** It serves again. */
  returned(destination: Destination, endpoint: Endpoint): void;
}

export interface DestinationBalancerOptions {
  readonly chance: Chance;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly events: DestinationEvents;
}

/** What a call says of itself. */
export interface BalancedCall {
  readonly carried: Carried;
  /** Looked at only where `sticks` says so. */
  readonly hashInput?: HashInput | undefined;
  /** The one endpoint that was called by its own address, as of a headless service: nobody chooses then. */
  readonly only?: SocketAddress | undefined;
}

export class DestinationBalancer {
  readonly #options: DestinationBalancerOptions;
  readonly #set: EndpointSet<Endpoint>;
  readonly #source: SelectionSource<Endpoint>;
  /** Of calls that any endpoint may serve: made once, not for each call. */
  readonly #spread: Readonly<Record<Carried, SelectionParts<Endpoint>>>;
  #destination: Destination;
  #balancer: LoadBalancer<Endpoint>;
  #hashOf: ((input: HashInput) => CallHash) | undefined;
  #nextSweepMs: number | undefined;

  constructor(destination: Destination, options: DestinationBalancerOptions) {
    const { connectionPool, outlierDetection, loadBalancing } = policyOf(destination);
    this.#options = options;
    this.#destination = destination;
    this.#set = new EndpointSet<Endpoint>({ keyOf });
    const breaker = new CircuitBreaker(connectionPool);
    const detection = new OutlierDetection(this.#set, outlierDetection, this.#events());
    this.#source = { breaker, detection, now: options.now };
    this.#nextSweepMs = detection.nextSweepMs(options.now());
    this.#balancer = this.#balancerOf(loadBalancing);
    this.#hashOf = hasherOf(loadBalancing);
    const pick = this.#picker();
    this.#spread = { http: { carried: "http", pick }, tcp: { carried: "tcp", pick } };
    this.#set.update(openEndpoints(destination));
  }

  /** In force now. Its limits are kept here; lifetimes and times to connect are for whoever makes connections. */
  get policy(): EffectiveTrafficPolicy {
    return policyOf(this.#destination);
  }

  /** Whether calls that are alike go to the same endpoint, so that a call must say what it is like. */
  get sticks(): boolean {
    return this.#hashOf !== undefined;
  }

  /** As a newer view describes the same destination. Endpoints that are gone get nothing new, and finish what they have. */
  update(destination: Destination): void {
    const before = this.policy;
    const { loadBalancing, connectionPool, outlierDetection } = policyOf(destination);
    const { breaker, detection, now } = this.#source;
    this.#destination = destination;
    this.#set.update(openEndpoints(destination));
    this.#set.takeDrained();
    breaker.configure(connectionPool);
    if (!isSame(before.outlierDetection, outlierDetection)) {
      detection.configure(outlierDetection);
      this.#nextSweepMs = detection.nextSweepMs(now());
    }
    if (isSame(before.loadBalancing, loadBalancing)) return;
    this.#balancer = this.#balancerOf(loadBalancing);
    this.#hashOf = hasherOf(loadBalancing);
  }

  /** @returns what the call holds until its `done`, which must be called */
  select(call: BalancedCall): CallSelection | SelectionProblem {
    return Selection.make(this.#source, this.#partsOf(call));
  }

  /**
   * Whether another connection may be made that requests share; without, they wait for one that is there. An endpoint that
   * has none is given one all the same: nobody else's would ever serve those who wait.
   */
  get mayConnect(): boolean {
    return !this.#source.breaker.connections.isExhausted;
  }

  /** Dials a connection that requests share, and counts it until it is closed. @throws whatever `dial` throws */
  dialCounted<U extends { readonly socket: Socket }>(
    { address }: Endpoint,
    dial: () => Promise<U>,
  ): Promise<U> {
    const endpoint = this.#set.find(formatAddress(address));
    return dialCounted(dial, new ConnectionPermit(this.#source.breaker, endpoint));
  }

  /** Takes endpoints back whose ejection is over. To be called often: it knows when it is due. */
  sweep(nowMs: number): void {
    if (this.#nextSweepMs === undefined || nowMs < this.#nextSweepMs) return;
    const { detection } = this.#source;
    this.#nextSweepMs = detection.nextSweepMs(nowMs);
    detection.sweep(nowMs);
    this.#set.takeDrained();
  }

  #partsOf({ carried, only, hashInput }: BalancedCall): SelectionParts<Endpoint> {
    if (only !== undefined) {
      const key = formatAddress(only);
      if (goesAsCalled(this.#destination)) return { carried, pick: () => this.#visited(only) };
      return { carried, pick: () => this.#set.members.find((member) => member.key === key) };
    }
    const hashed = hashInput && this.#hashOf?.(hashInput);
    if (hashed?.hash === undefined) return this.#spread[carried];
    const { hash, setCookie } = hashed;
    const parts = { carried, pick: this.#picker(new Word64().set(hash)) };
    return setCookie === undefined ? parts : { ...parts, setCookie };
  }

  #visited(called: SocketAddress): BalancedEndpoint<Endpoint> {
    const endpoint = calledEndpoint(this.#destination, called);
    return this.#set.visit(endpoint, ({ mutualTls }) => mutualTls === endpoint.mutualTls);
  }

  #picker(hash?: Hash64): SelectionParts<Endpoint>["pick"] {
    return (tried) => {
      if (tried.length === 0) return this.#balancer.pick(hash);
      return pickUntried(this.#balancer, { tried, candidates: this.#set.candidates }, hash);
    };
  }

  #balancerOf(loadBalancing: LoadBalancing): LoadBalancer<Endpoint> {
    const { chance } = this.#options;
    return chooseLoadBalancer(loadBalancing, this.#set, { chance, ringKeyOf: keyOf });
  }

  #events(): OutlierEvents<Endpoint> {
    const { events } = this.#options;
    return {
      ejection: ({ endpoint }, cause, outcome) => {
        if (outcome === "ejected") events.ejected(this.#destination, endpoint, cause);
      },
      returned: ({ endpoint }) => events.returned(this.#destination, endpoint),
    };
  }
}

function policyOf({ trafficPolicy }: Destination): EffectiveTrafficPolicy {
  return trafficPolicy ?? DEFAULT_TRAFFIC_POLICY;
}

/** Those that NetworkPolicies keep us from are none that a call could go to. */
function openEndpoints({ endpoints }: Destination): readonly Endpoint[] {
  return endpoints.filter(({ refusedBy }) => refusedBy === undefined);
}

function keyOf({ address }: Endpoint): string {
  return formatAddress(address);
}

function hasherOf(loadBalancing: LoadBalancing): ((input: HashInput) => CallHash) | undefined {
  return loadBalancing.algorithm === "RING_HASH" ? callHasher(loadBalancing.key) : undefined;
}

/** Of plain data, whose fields are always written in one order. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
