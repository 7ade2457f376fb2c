/** The outbound side's HTTP service: finds the service that the application means and sends the request to it. */
import type { Socket } from "node:net";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import { applicationProtocol } from "./application-protocol.ts";
import type { HashInput } from "./balancing/call-hash.ts";
import type { CompiledView } from "./compiled-view.ts";
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
  return {
    judge(request, call) {
      const exchange = new DepartingExchange(request, { call, options });
      const verdict =
        request.method === "CONNECT"
          ? tunnelVerdict(exchange, options)
          : requestVerdict(exchange, options);
      return { exchange, verdict, afterwards: "keep" };
    },
    record: (exchange, outcome, call) =>
      recorder.request(withDestination(call.facts, exchange.destination), exchange, outcome),
    recordBroken: (problem, { facts }) => recorder.brokenRequest(facts, problem),
    answerFields: () => recorder.answerFields("source"),
  };
}

interface Opened {
  readonly call: OutboundCall;
  readonly options: OutboundHttpOptions;
}

type Verdict = Judged<OutboundExchange>["verdict"];

class DepartingExchange extends OpenedExchange implements OutboundExchange {
  readonly call: OutboundCall;
  readonly credentials: ProxyCredentials;
  destination: Destination | undefined = undefined;
  readonly #compiled: CompiledView;

  constructor(request: ReceivedRequest, { call, options }: Opened) {
    super(request, {
      startedAt: options.clock.now(),
      protocol: request.protocol,
      spanSide: options.recorder.spanSide("source"),
    });
    this.call = call;
    this.credentials = options.credentials;
    this.#compiled = options.compiled.current;
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

function requestVerdict(exchange: OutboundExchange, options: OutboundHttpOptions): Verdict {
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

function routeTo(
  exchange: OutboundExchange,
  { balancers, targets, compiled }: OutboundHttpOptions,
): Verdict {
  const { destination, call } = exchange;
  if (destination === undefined) return NO_ENDPOINT;
  const balancer = balancers.of(destination);
  if (balancer === undefined) return NO_ENDPOINT;
  const only = typeof call.via === "string" ? undefined : call.via.only;
  const selection = balancer.select({
    carried: "http",
    ...(only !== undefined && { only }),
    ...(balancer.sticks && { hashInput: hashInputOf(exchange) }),
  });
  if (typeof selection === "string") return selection === "overflow" ? OVERFLOW : NO_ENDPOINT;
  const content = contentOf(exchange, destination);
  const judged = compiled.current;
  // A later try may fall into the time of a newer view: what it finds is kept for all requests of that view.
  const asOfNow = (): Destination => {
    const { current } = compiled;
    if (current === judged) return destination;
    return current.destinations.get(outboundCluster(destination)) ?? destination;
  };
  const attempts = new DestinationAttempts(selection, (endpoint) =>
    targets.target(asOfNow(), endpoint, content),
  );
  return { route: { scheme: "http", attempts } };
}

function hashInputOf({ call, headers, path }: OutboundExchange): HashInput {
  return { source: call.facts.remote, local: call.facts.local, fields: headers, path };
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

/** What is known of a call once it is known where it goes. */
export function withDestination(facts: CallFacts, destination: Destination | undefined): CallFacts {
  if (destination === undefined || destination === facts.destination) return facts;
  return { ...facts, destination, cluster: outboundCluster(destination) };
}
