/** The outbound side's HTTP service: finds the service that the application means and sends the request to it. */
import type { Socket } from "node:net";
import type { ProxyHeaders } from "../api/proxy-headers.ts";
import type { HostRoutes } from "../policy/routes/route-table.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import { goesAsCalled } from "./called-destination.ts";
import type { CompiledView } from "./compiled-view.ts";
import type { BalancedCall, DestinationBalancer } from "./destination-balancer.ts";
import { DestinationAttempts } from "./destination-balancer-attempts.ts";
import type { DestinationBalancers } from "./destination-balancers.ts";
import { findDestination } from "./destination-lookup.ts";
import { OpenedExchange, refusal, runSteps } from "./exchange.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import type { HttpService, Judged } from "./http-service.ts";
import { type DestinationName, namedDestination, type OutboundCall } from "./outbound-call.ts";
import {
  balancedRequest,
  contentOf,
  NO_ENDPOINT,
  OVERFLOW,
  schemeOf,
  withDestination,
} from "./outbound-requests.ts";
import { CONNECT_STEPS, OUTBOUND_STEPS, type OutboundExchange } from "./outbound-steps.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import { type Aim, LastWays, OutboundWay } from "./outbound-way.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";
import type { Recorder } from "./recorder.ts";
import { followRoute, NO_ROUTE } from "./routed/route-verdict.ts";
import { RoutedWays } from "./routed/routed-ways.ts";

export interface OutboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: OutboundTargets;
  readonly balancers: DestinationBalancers;
  readonly credentials: ProxyCredentials;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
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
  const routing = { ...options, routed: new RoutedWays(options) };
  return {
    judge(request, call) {
      const exchange = new DepartingExchange(request, { call, options, ways });
      const verdict =
        request.method === "CONNECT"
          ? tunnelVerdict(exchange, options)
          : requestVerdict(exchange, routing);
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
  routes: HostRoutes | undefined = undefined;
  calledPort: number | undefined = undefined;
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
    return (
      findDestination(view.outbound.destinations, { host, port, namespace }) ??
      this.#compiled.told.of(port, host)
    );
  }

  told(port: number, host: string): Destination | undefined {
    return this.#compiled.told.ofHost(port, host);
  }

  routesTo({ host }: Destination): HostRoutes | undefined {
    return this.#compiled.routes?.hostOf(host);
  }

  routesOf(host: string): HostRoutes | undefined {
    return this.#compiled.routes?.hostOf(host);
  }

  named(name: DestinationName): Destination | undefined {
    return namedDestination(this.#compiled.destinations, name);
  }
}

interface Routing extends OutboundHttpOptions {
  readonly routed: RoutedWays;
}

function requestVerdict(exchange: DepartingExchange, routing: Routing): Verdict {
  const result = runSteps(OUTBOUND_STEPS, exchange);
  if (result !== "continue") return result;
  const { routes } = exchange;
  return routes === undefined ? routeTo(exchange, routing) : follow(routes, exchange, routing);
}

/** Where a user's route leads; nobody's: nowhere. */
function follow(routes: HostRoutes, exchange: DepartingExchange, routing: Routing): Verdict {
  const { destination, call, method, path, authority } = exchange;
  const port = destination?.servicePort ?? exchange.calledPort;
  const header = (name: string): string | undefined =>
    name === "host" ? exchange.authority : exchange.headers.get(name);
  const route = routes.find({ method, path, authority, scheme: "http", port, header });
  if (route === undefined) return NO_ROUTE;
  const { routed: ways, random: chance } = routing;
  const context = { ways, facts: call.facts, scheme: "http", calledPort: port, chance } as const;
  const { verdict, way } = followRoute(route, exchange, context);
  exchange.destination = way?.destination ?? destination;
  return verdict;
}

function tunnelVerdict(exchange: OutboundExchange, options: OutboundHttpOptions): Verdict {
  const result = runSteps(CONNECT_STEPS, exchange);
  if (result !== "continue") return result;
  const { destination, call, startedAt } = exchange;
  if (destination === undefined) return refusal(503, "no such destination");
  const { host, servicePort } = destination;
  const facts = { ...call.facts, startedAt };
  const via = { host, servicePort, ...onlyCalled(destination) };
  return { tunnel: (socket) => options.serveTunnel(socket, { facts, via }) };
}

function routeTo(exchange: DepartingExchange, options: OutboundHttpOptions): Verdict {
  const way = exchange.way ?? newWay(exchange, options);
  if (way === undefined) return NO_ENDPOINT;
  const selection = way.balancer.select(callOf(exchange, way.balancer));
  if (typeof selection === "string") return selection === "overflow" ? OVERFLOW : NO_ENDPOINT;
  const reaching = way.reaching(contentOf(exchange, way.destination));
  const scheme = schemeOf(way.destination);
  return { route: { scheme, attempts: new DestinationAttempts(selection, reaching) } };
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

function callOf(exchange: OutboundExchange, balancer: DestinationBalancer): BalancedCall {
  const { call } = exchange;
  const { only } = typeof call.via === "string" ? onlyCalled(exchange.destination) : call.via;
  return balancedRequest(exchange, { balancer, facts: call.facts, only });
}

/** Of a destination whose calls go where the application sent them. */
function onlyCalled(destination: Destination | undefined): Pick<DestinationName, "only"> {
  const [called] =
    destination !== undefined && goesAsCalled(destination) ? destination.endpoints : [];
  return called === undefined ? {} : { only: called.address };
}
