/**
 * Where the requests of one connection go. Most name what the one before them named, under the same view: for them it is
 * worked out once.
 */
import type { Destination, Endpoint } from "../policy/workload-view.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import type { DestinationBalancer } from "./destination-balancer.ts";
import type { Target } from "./exchange.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import { type OutboundCall, outboundCluster } from "./outbound-call.ts";
import type { OutboundTargets, RequestContent } from "./outbound-targets.ts";
import type { CallFacts } from "./recorder.ts";

/** What a request says of where it goes, as received. */
export type Aim = Pick<ReceivedRequest, "authority" | "form" | "scheme">;

export interface WayParts {
  readonly aim: Aim;
  /** As the callee is told. */
  readonly authority: string | undefined;
  /** With those endpoints that may be called. */
  readonly destination: Destination;
  readonly balancer: DestinationBalancer;
  /** Of the connection, and where its requests go. */
  readonly facts: CallFacts;
}

export interface WaySources {
  readonly compiled: Watched<CompiledView>;
  readonly targets: Pick<OutboundTargets, "target">;
}

export class OutboundWay {
  readonly authority: string | undefined;
  readonly destination: Destination;
  readonly balancer: DestinationBalancer;
  readonly facts: CallFacts;
  readonly #aim: Aim;
  /** Under which it was found. */
  readonly #view: CompiledView;
  readonly #sources: WaySources;
  readonly #reaching: Partial<Record<RequestContent, (endpoint: Endpoint) => Target>> = {};

  constructor({ aim, authority, destination, balancer, facts }: WayParts, sources: WaySources) {
    this.#aim = aim;
    this.#sources = sources;
    this.#view = sources.compiled.current;
    this.authority = authority;
    this.destination = destination;
    this.balancer = balancer;
    this.facts = facts;
  }

  /** Whether a request that says this goes the same way. */
  leads({ authority, form, scheme }: Aim): boolean {
    const aim = this.#aim;
    return authority === aim.authority && form === aim.form && scheme === aim.scheme;
  }

  /** How the destination's endpoints are reached by requests of one kind. */
  reaching(content: RequestContent): (endpoint: Endpoint) => Target {
    const { targets } = this.#sources;
    this.#reaching[content] ??= (endpoint) =>
      targets.target(this.#destinationNow(), endpoint, content);
    return this.#reaching[content];
  }

  /** A later try may fall into the time of a newer view: what it finds is kept for all requests of that view. */
  #destinationNow(): Destination {
    const { current } = this.#sources.compiled;
    const { destination } = this;
    if (current === this.#view) return destination;
    return current.destinations.get(outboundCluster(destination)) ?? destination;
  }
}

/** The way that each connection's last request went under the newest view; nobody goes those of older views any more. */
export class LastWays {
  #compiled: CompiledView | undefined = undefined;
  #ways: WeakMap<OutboundCall, OutboundWay> = new WeakMap();

  /** @returns undefined where the request may go another way */
  find(call: OutboundCall, compiled: CompiledView, aim: Aim): OutboundWay | undefined {
    if (compiled !== this.#compiled) {
      this.#compiled = compiled;
      this.#ways = new WeakMap();
    }
    const way = this.#ways.get(call);
    return way?.leads(aim) ? way : undefined;
  }

  /** Found under the view of the last `find`. */
  remember(call: OutboundCall, way: OutboundWay): void {
    this.#ways.set(call, way);
  }
}
