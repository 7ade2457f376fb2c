/** A gateway's HTTP service: judges each request by the policies of the gateway, and sends it where its route leads. */

import { httpsLocation } from "../../policy/routes/route-outcome.ts";
import type { Connection, TokenPayload } from "../../policy/traffic.ts";
import { OpenedExchange } from "../exchange.ts";
import type { ReceivedRequest } from "../http/received-message.ts";
import type { HttpService, RequestVerdict } from "../http-service.ts";
import { type Arrival, type InboundHttpOptions, judgedHttpService } from "../inbound-http.ts";
import { requestProtocol } from "../mesh-protocols.ts";
import { outboundCluster } from "../outbound-call.ts";
import { withDestination } from "../outbound-requests.ts";
import type { CallFacts } from "../recorder.ts";
import { followRoute, NO_ROUTE, redirect } from "../routed/route-verdict.ts";
import { destinationName, type RoutedWay, type RoutedWays } from "../routed/routed-ways.ts";
import { type EdgeCall, type EdgeTerms, KnownEdgeTerms } from "./edge-call.ts";
import { EDGE_STEPS, type EdgeExchange, isMisdirected, MISDIRECTED } from "./edge-steps.ts";
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
  const { compiled, clock } = options;
  const terms = new KnownEdgeTerms();
  const { ways, random } = options;
  const judged = judgedHttpService<EdgeCall, RoutedExchange, EdgeTerms>(options, {
    reporter: "source",
    steps: EDGE_STEPS,
    terms,
    open: (request, arrival) => new RoutedExchange(request, arrival),
    routeOf: (exchange) =>
      routeOf(exchange, {
        ways,
        random,
        now: terms.of(exchange.call, compiled.current, clock.now()),
      }),
    factsOf: ({ facts }) => facts,
  });
  return {
    ...judged,
    judgeAgain(exchange) {
      const refused = judged.judgeAgain?.(exchange);
      // A request that is under way ends where it went, whatever routes say by now.
      if (refused !== undefined || exchange.upgrade !== "websocket") return refused;
      return isLed(exchange, terms.of(exchange.call, compiled.current, clock.now()))
        ? undefined
        : NO_ROUTE.details;
    },
  };
}

/**
 * Whether a route of its host still leads to where a WebSocket goes. Which route is not asked: what it has sent was changed
 * by the one that it took.
 */
function isLed({ authority, way }: RoutedExchange, { server }: EdgeTerms): boolean {
  const { routes = [] } = server?.routes.hostOf(authority)?.virtualHost ?? {};
  const cluster = way && outboundCluster(way.destination);
  return routes.some(
    ({ action }) =>
      action.do === "forward" &&
      action.destinations.some(
        (one) => one.problem === undefined && outboundCluster(destinationName(one)) === cluster,
      ),
  );
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
    return name === "host" ? this.authority : this.headers.asked(name);
  }

  passedHeader(name: string): string | undefined {
    return name === "host" ? this.authority : this.headers.askedOfPassed(name);
  }
}

interface Routing extends Pick<GatewayHttpOptions, "ways" | "random"> {
  /** A request may have waited, for an authorizer or for keys. */
  readonly now: EdgeTerms;
}

function routeOf(exchange: RoutedExchange, { ways, random, now }: Routing): RequestVerdict {
  const { call, terms, authority = "", path, method, token } = exchange;
  if (now !== terms && isMisdirected(exchange, now)) return MISDIRECTED;
  const host = now.server?.routes.hostOf(exchange.authority);
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
