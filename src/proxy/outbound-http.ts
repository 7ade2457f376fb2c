/** The outbound side's HTTP service: finds the service that the application means and sends the request to it. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Destination } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CompiledView } from "./compiled-view.ts";
import { findDestination } from "./destination-lookup.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import {
  type Answer,
  openExchange,
  type RequestHead,
  type Route,
  refusal,
  runSteps,
} from "./exchange.ts";
import type { ConnectRequest, HttpService } from "./http-front.ts";
import {
  type DestinationName,
  namedDestination,
  type OutboundCall,
  outboundCluster,
} from "./outbound-call.ts";
import { CONNECT_STEPS, OUTBOUND_STEPS, type OutboundExchange } from "./outbound-steps.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";
import type { CallFacts, Recorder } from "./recorder.ts";

export interface OutboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: OutboundTargets;
  readonly choice: EndpointChoice;
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
    judge(head, call) {
      const exchange = openOutbound(head, { call, options });
      const result = runSteps(OUTBOUND_STEPS, exchange);
      const verdict =
        result === "continue" ? { route: routeTo(exchange.destination, options) } : result;
      return { exchange, verdict, afterwards: "keep" };
    },
    record: (exchange, outcome, call) =>
      recorder.request(withDestination(call.facts, exchange.destination), exchange, outcome),
    recordBroken: (problem, status, { facts }) =>
      recorder.brokenRequest(facts, { problem, status }),
    tunnel: (socket, call, request) => openTunnel(socket, request, { call, options }),
  };
}

interface Opened {
  readonly call: OutboundCall;
  readonly options: OutboundHttpOptions;
}

function openOutbound(head: RequestHead, { call, options }: Opened): OutboundExchange {
  const { view } = options.compiled.current;
  const { namespace } = view.workload;
  return {
    ...openExchange(head, options.clock.now()),
    call,
    credentials: options.credentials,
    find: ({ host, port }) =>
      findDestination(view.outbound.destinations, { host, port, namespace }),
    named: (name) => namedDestination(view.outbound.destinations, name),
    destination: undefined,
  };
}

function openTunnel(socket: Socket, { head, rest }: ConnectRequest, opened: Opened): void {
  const { options, call } = opened;
  const exchange = openOutbound(head, opened);
  const result = runSteps(CONNECT_STEPS, exchange);
  const { destination } = exchange;
  if (result === "continue" && destination !== undefined) {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (rest.length > 0) socket.unshift(rest);
    const { host, servicePort } = destination;
    const facts = { ...call.facts, startedAt: exchange.startedAt };
    options.serveTunnel(socket, { facts, via: { host, servicePort } });
    return;
  }
  const refused = typeof result === "string" ? refusal(503, "no such destination") : result;
  endWith(socket, refused);
  const { status, flags, details, body } = refused;
  const outcome = { status, flags, details, bytesReceived: 0, bytesSent: body.length };
  options.recorder.request(call.facts, exchange, outcome);
}

function endWith(socket: Socket, { status, body, headers = [] }: Answer): void {
  const fields = [
    ...headers,
    "Connection",
    "close",
    "Content-Length",
    String(Buffer.byteLength(body)),
  ];
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function routeTo(
  destination: Destination | undefined,
  { choice, targets }: OutboundHttpOptions,
): Route {
  if (destination === undefined) return { cluster: "-", targets: [], persistence: "once" };
  return {
    cluster: outboundCluster(destination),
    targets: choice.order(destination).map((endpoint) => targets.target(destination, endpoint)),
    persistence: "again",
  };
}

/** What is known of a call once it is known where it goes. */
export function withDestination(facts: CallFacts, destination: Destination | undefined): CallFacts {
  if (destination === undefined) return facts;
  return { ...facts, destination, cluster: outboundCluster(destination) };
}
