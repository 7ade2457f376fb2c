/** A gateway's HTTP service: judges each request by the policies of the gateway, and sends it where its route leads. */

import { httpsLocation } from "../../policy/routes/route-outcome.ts";
import type { Connection, TokenPayload } from "../../policy/traffic.ts";
import { OpenedExchange } from "../exchange.ts";
import type { ReceivedRequest } from "../http/received-message.ts";
import type { HttpService, RequestVerdict } from "../http-service.ts";
import { type Arrival, type InboundHttpOptions, judgedHttpService } from "../inbound-http.ts";
import { requestProtocol } from "../mesh-protocols.ts";
import { withDestination } from "../outbound-requests.ts";
import type { CallFacts } from "../recorder.ts";
import { followRoute, NO_ROUTE, redirect } from "../routed/route-verdict.ts";
import type { RoutedWay, RoutedWays } from "../routed/routed-ways.ts";
import { type EdgeCall, type EdgeTerms, KnownEdgeTerms } from "./edge-call.ts";
import { EDGE_STEPS, type EdgeExchange } from "./edge-steps.ts";
import { clientAddress, FORWARDED_FOR } from "./forwarded-for.ts";

export interface GatewayHttpOptions
  extends Pick<InboundHttpOptions, "compiled" | "recorder" | "log" | "clock"> {
  readonly ways: RoutedWays;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export function gatewayHttpService(
  options: GatewayHttpOptions,
): HttpService<EdgeCall, RoutedExchange> {
  return judgedHttpService<EdgeCall, RoutedExchange, EdgeTerms>(options, {
    reporter: "source",
    steps: EDGE_STEPS,
    terms: new KnownEdgeTerms(),
    open: (request, arrival) => new RoutedExchange(request, arrival),
    routeOf: (exchange) => routeOf(exchange, options),
    factsOf: ({ facts }) => facts,
  });
}

/** Itself what policies judge and routes match. */
export class RoutedExchange extends OpenedExchange implements EdgeExchange {
  readonly call: EdgeCall;
  readonly terms: EdgeTerms;
  readonly connection: Connection;
  readonly remoteAddress: string;
  token: TokenPayload | undefined = undefined;
  limitFields: readonly string[] | undefined = undefined;
  way: RoutedWay | undefined = undefined;

  constructor(
    request: ReceivedRequest,
    { call, terms, startedAt, spanSide }: Arrival<EdgeCall, EdgeTerms>,
  ) {
    const protocol = requestProtocol(request.protocol, call.negotiated);
    super(request, { startedAt, protocol, spanSide });
    this.call = call;
    this.terms = terms;
    this.connection = call.connection;
    this.remoteAddress = clientAddress(this.headers.get(FORWARDED_FOR), {
      direct: call.connection.sourceAddress,
      trustedProxies: terms.trustedProxies,
    });
  }

  /** Of the connection, and where the request went. */
  get facts(): CallFacts {
    return withDestination(this.call.facts, this.way?.destination);
  }

  header(name: string): string | undefined {
    return name === "host" ? this.authority : this.headers.get(name);
  }
}

function routeOf(exchange: RoutedExchange, { ways, random }: GatewayHttpOptions): RequestVerdict {
  const { call, terms, authority = "", path, method, token } = exchange;
  const host = terms.server?.routes.hostOf(exchange.authority);
  if (host === undefined) return NO_ROUTE;
  const scheme = call.transport === "tls" ? "https" : "http";
  if (host.virtualHost.httpsRedirect && scheme === "http")
    return redirect(301, httpsLocation({ authority, path }));
  const header = (name: string): string | undefined => exchange.header(name);
  const route = host.find({ method, path, authority, scheme, token, header });
  if (route === undefined) return NO_ROUTE;
  const context = { ways, facts: call.facts, scheme, chance: random } as const;
  const { verdict, way } = followRoute(route, exchange, context);
  exchange.way = way;
  return verdict;
}
