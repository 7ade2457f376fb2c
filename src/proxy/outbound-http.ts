/** The outbound side's HTTP service: finds the service that the application means and sends the request to it. */
import type { Socket } from "node:net";
import type { ProxyHeaders } from "../api/proxy-headers.ts";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import { applicationProtocol } from "./application-protocol.ts";
import type { CompiledView } from "./compiled-view.ts";
import type { BalancedCall, DestinationBalancer } from "./destination-balancer.ts";
import { DestinationAttempts } from "./destination-balancer-attempts.ts";
import type { DestinationBalancers } from "./destination-balancers.ts";
import { findDestination } from "./destination-lookup.ts";
import { type Answer, OpenedExchange, refusal, runSteps } from "./exchange.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import type { HttpService, Judged } from "./http-service.ts";
import {
  type DestinationName,
  namedDestination,
  type OutboundCall,
  outboundCluster,
} from "./outbound-call.ts";
import { CONNECT_STEPS, OUTBOUND_STEPS, type OutboundExchange } from "./outbound-steps.ts";
import type { OutboundTargets, RequestContent } from "./outbound-targets.ts";
import { type Aim, LastWays, OutboundWay } from "./outbound-way.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";
import type { CallFacts, Recorder } from "./recorder.ts";

export interface OutboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: OutboundTargets;
  readonly balancers: DestinationBalancers;
  readonly credentials: ProxyCredentials;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Serves what comes through a tunnel as if it had come to the destination's own listener. */
  readonly serveTunnel: (socket: Socket, call: TunnelCall) => void;
}

/** A connection whose destination is known. */
export type TunnelCall = OutboundCall & { readonly via: DestinationName };

export function outboundHttpService(
  options: OutboundHttpOptions,
): HttpService<OutboundCall, OutboundExchange> {
  const { recorder } = options;
  const ways = new LastWays();
  return {
    judge(request, call) {
      const exchange = new DepartingExchange(request, { call, options, ways });
      const verdict =
        request.method === "CONNECT"
          ? tunnelVerdict(exchange, options)
          : requestVerdict(exchange, options);
      return { exchange, verdict, afterwards: "keep" };
    },
    record(exchange, outcome, call) {
      const facts = exchange.way?.facts ?? withDestination(call.facts, exchange.destination);
      recorder.request(facts, exchange, outcome);
    },
    recordBroken: (problem, { facts }) => recorder.brokenRequest(facts, problem),
    answerFields: () => recorder.answerFields("source"),
  };
}

interface Opened {
  readonly call: OutboundCall;
  readonly options: OutboundHttpOptions;
  readonly ways: LastWays;
}

type Verdict = Judged<OutboundExchange>["verdict"];

class DepartingExchange extends OpenedExchange implements OutboundExchange {
  readonly call: OutboundCall;
  readonly credentials: ProxyCredentials;
  readonly requestId: ProxyHeaders["requestId"];
  destination: Destination | undefined;
  way: OutboundWay | undefined;
  readonly #compiled: CompiledView;
  readonly #ways: LastWays;
  readonly #received: string | undefined;

  constructor(request: ReceivedRequest, { call, options, ways }: Opened) {
    super(request, {
      startedAt: options.clock.now(),
      protocol: request.protocol,
      spanSide: options.recorder.spanSide("source"),
    });
    this.call = call;
    this.credentials = options.credentials;
    this.#compiled = options.compiled.current;
    this.requestId = this.#compiled.view.proxyHeaders?.requestId ?? "generated";
    this.destination = undefined;
    this.way = undefined;
    this.#ways = ways;
    this.#received = request.authority;
  }

  /** Another name of the destination may have replaced the authority since. */
  get aim(): Aim {
    return { authority: this.#received, form: this.form, scheme: this.scheme };
  }

  /** To be asked before that happens. */
  knownWay(): OutboundWay | undefined {
    return this.#ways.find(this.call, this.#compiled, this);
  }

  remember(way: OutboundWay): void {
    this.way = way;
    this.#ways.remember(this.call, way);
  }

  find({ host, port }: { readonly host: string; readonly port: number }): Destination | undefined {
    const { view } = this.#compiled;
    const { namespace } = view.workload;
    return findDestination(view.outbound.destinations, { host, port, namespace });
  }

  named(name: DestinationName): Destination | undefined {
    return namedDestination(this.#compiled.destinations, name);
  }
}

function requestVerdict(exchange: DepartingExchange, options: OutboundHttpOptions): Verdict {
  const result = runSteps(OUTBOUND_STEPS, exchange);
  return result === "continue" ? routeTo(exchange, options) : result;
}

function tunnelVerdict(exchange: OutboundExchange, options: OutboundHttpOptions): Verdict {
  const result = runSteps(CONNECT_STEPS, exchange);
  if (result !== "continue") return result;
  const { destination, call, startedAt } = exchange;
  if (destination === undefined) return refusal(503, "no such destination");
  const { host, servicePort } = destination;
  const facts = { ...call.facts, startedAt };
  return {
    tunnel: (socket) => options.serveTunnel(socket, { facts, via: { host, servicePort } }),
  };
}

function routeTo(exchange: DepartingExchange, options: OutboundHttpOptions): Verdict {
  const way = exchange.way ?? newWay(exchange, options);
  if (way === undefined) return NO_ENDPOINT;
  const selection = way.balancer.select(balancedCall(exchange, way.balancer));
  if (typeof selection === "string") return selection === "overflow" ? OVERFLOW : NO_ENDPOINT;
  const reaching = way.reaching(contentOf(exchange, way.destination));
  return { route: { scheme: "http", attempts: new DestinationAttempts(selection, reaching) } };
}

function newWay(
  exchange: DepartingExchange,
  options: OutboundHttpOptions,
): OutboundWay | undefined {
  const { destination, authority, call, aim } = exchange;
  if (destination === undefined) return undefined;
  const balancer = options.balancers.of(destination);
  if (balancer === undefined) return undefined;
  const facts = withDestination(call.facts, destination);
  const way = new OutboundWay({ aim, authority, destination, balancer, facts }, options);
  exchange.remember(way);
  return way;
}

const ANY_ENDPOINT: BalancedCall = { carried: "http" };

function balancedCall(
  { call, headers, path }: OutboundExchange,
  { sticks }: DestinationBalancer,
): BalancedCall {
  const only = typeof call.via === "string" ? undefined : call.via.only;
  if (only === undefined && !sticks) return ANY_ENDPOINT;
  const { remote: source, local } = call.facts;
  const hashInput = sticks ? { source, local, fields: headers, path } : undefined;
  return { carried: "http", only, hashInput };
}

const NO_ENDPOINT: Answer = {
  status: 503,
  body: "no endpoint of the service serves now\n",
  flags: "UH",
  details: "no_healthy_upstream",
};
const OVERFLOW: Answer = {
  status: 503,
  body: "too many requests to the service are under way\n",
  headers: ["x-envoy-overloaded", "true"],
  flags: "UO",
  details: "upstream_reset_before_response_started{overflow}",
};

function contentOf(
  { upgrade, protocol }: OutboundExchange,
  destination: Destination | undefined,
): RequestContent {
  if (upgrade !== "none" || destination === undefined) return "upgrade";
  const { httpVersion } = (destination.trafficPolicy ?? DEFAULT_TRAFFIC_POLICY).connectionPool;
  return applicationProtocol({ protocol: destination.protocol, httpVersion }, protocol);
}

/** By what was known before, the last made: its identity is what logs and metrics find their texts and series by. */
const lastDeparted = new WeakMap<CallFacts, CallFacts>();

/** What is known of a call once it is known where it goes; the same object again for the same destination. */
export function withDestination(facts: CallFacts, destination: Destination | undefined): CallFacts {
  if (destination === undefined || destination === facts.destination) return facts;
  const last = lastDeparted.get(facts);
  if (last !== undefined && last.destination === destination) return last;
  const departed = { ...facts, destination, cluster: outboundCluster(destination) };
  lastDeparted.set(facts, departed);
  return departed;
}
