/** What becomes of a request that a user's route is for: it is forwarded, redirected, or answered here. */

import type { ResponseAction } from "../../api/routing/route-parts.ts";
import { pickDestination } from "../../policy/routes/pick-destination.ts";
import { climbs, redirectLocation, rewrittenPath } from "../../policy/routes/route-outcome.ts";
import type {
  ForwardAction,
  HttpRoute,
  RouteDestination,
} from "../../policy/routes/virtual-host.ts";
import { responseCodeDetails } from "../../telemetry/response-details.ts";
import { DestinationAttempts } from "../destination-balancer-attempts.ts";
import type { Answer, Exchange, RouteTerms } from "../exchange.ts";
import type { RequestVerdict } from "../http-service.ts";
import {
  balancedRequest,
  contentOf,
  NO_ENDPOINT,
  OVERFLOW,
  schemeOf,
} from "../outbound-requests.ts";
import { reachable } from "../reachable-endpoints.ts";
import type { CallFacts } from "../recorder.ts";
import { abortedRequest } from "./aborted-request.ts";
import { answerChanger, answerHeaders, changeFields } from "./header-changes.ts";
import { RequestRetries } from "./request-retries.ts";
import type { RoutedWay, RoutedWays } from "./routed-ways.ts";

/** What a route is followed with. */
export interface RouteContext {
  readonly ways: RoutedWays;
  readonly facts: CallFacts;
  /** By which clients reach us: what a redirect keeps of it. */
  readonly scheme: "http" | "https";
  /** Of the service, where a destination has no port of its own. */
  readonly calledPort?: number | undefined;
  /** A number in [0, 1). */
  readonly chance: () => number;
}

export interface RouteOutcome {
  readonly verdict: RequestVerdict;
  /** Absent: nobody was called. */
  readonly way?: RoutedWay;
}

/** Nobody has said what is to become of such a request. */
export const NO_ROUTE: Answer = {
  status: 404,
  body: "no route is for this request\n",
  flags: "NR",
  details: "route_not_found",
};

/** Of a pattern that takes too long. */
const UNSAYABLE: Answer = {
  status: 500,
  body: "the path of the request cannot be rewritten\n",
  flags: "-",
  details: "path_not_rewritten",
};

/** Nobody was to reach what lies outside the place that the route leads to. */
const CLIMBING: Answer = {
  status: 400,
  body: "the path of the request leads out of its place\n",
  flags: "-",
  details: "path_not_rewritten",
};

/** @throws RangeError when a header of the route cannot be written */
export function followRoute(
  route: HttpRoute,
  exchange: Exchange,
  context: RouteContext,
): RouteOutcome {
  const { action } = route;
  const aborted = abortedRequest(route.fault, context.chance);
  if (aborted !== undefined) return { verdict: aborted };
  switch (action.do) {
    case "redirect": {
      const { authority = "", path } = exchange;
      const location = redirectLocation(route, { scheme: context.scheme, authority, path });
      return {
        verdict: location === undefined ? UNSAYABLE : redirect(action.status, location, route),
      };
    }
    case "respond":
      return { verdict: ownAnswer(action, route) };
    case "forward":
      return forward({ route, action, exchange }, context);
  }
}

export function redirect(status: number, location: string, route?: HttpRoute): Answer {
  const headers = answerHeaders([{ name: "location", value: location }], route?.headers?.response);
  return { status, body: "", headers, flags: "-", details: "direct_response" };
}

function ownAnswer({ status, body = { text: "" } }: ResponseAction, route: HttpRoute): Answer {
  const text = "text" in body ? body.text : Buffer.from(body.base64, "base64").toString();
  const headers = answerHeaders([], route.headers?.response);
  return { status, body: text, headers, flags: "-", details: "direct_response" };
}

interface Forwarded {
  readonly route: HttpRoute;
  readonly action: ForwardAction;
  readonly exchange: Exchange;
}

function forward(forwarded: Forwarded, context: RouteContext): RouteOutcome {
  const { route, action, exchange } = forwarded;
  const path =
    action.rewrite?.path === undefined ? exchange.path : rewrittenPath(route, exchange.path);
  if (path === undefined) return { verdict: UNSAYABLE };
  if (path !== exchange.path && climbs(path)) return { verdict: CLIMBING };
  const chosen = pickDestination(action.destinations, context.chance());
  const way =
    chosen?.problem === undefined &&
    chosen !== undefined &&
    context.ways.of(chosen, context.calledPort);
  if (chosen === undefined || !way) return { verdict: nowhere(action.unresolved) };
  const reach = reachable(way.destination);
  if ("refused" in reach) {
    exchange.decision = reach.refused;
    const details = responseCodeDetails(reach.refused.reason) ?? "network_policy";
    return { verdict: { ...nowhere(503), flags: "-", details }, way };
  }
  const selection = way.balancer.select(
    balancedRequest(exchange, { balancer: way.balancer, facts: context.facts }),
  );
  if (typeof selection === "string")
    return { verdict: selection === "overflow" ? OVERFLOW : NO_ENDPOINT, way };
  try {
    const terms = termsOf(forwarded, { chosen, path, chance: context.chance });
    const reaching = way.reaching(contentOf(exchange, way.destination));
    const attempts = new DestinationAttempts(selection, reaching);
    const scheme = schemeOf(way.destination);
    return { verdict: { route: { scheme, attempts, terms } }, way };
  } catch (error) {
    selection.done();
    throw error;
  }
}

const ORIGINAL_PATH = "x-envoy-original-path";

function termsOf(
  { route, action, exchange }: Forwarded,
  {
    chosen,
    path,
    chance,
  }: {
    readonly chosen: RouteDestination;
    readonly path: string;
    readonly chance: () => number;
  },
): RouteTerms {
  const { rewrite, timeoutMs, retries } = action;
  if (path !== exchange.path) exchange.headers.set(ORIGINAL_PATH, exchange.path);
  changeFields(exchange.headers, [route.headers?.request, chosen.headers?.request]);
  return {
    path,
    authority: rewrite?.authority ?? chosen.authority,
    timeoutMs,
    perTryTimeoutMs: retries?.perTryTimeoutMs,
    retries: retries && new RequestRetries(retries, chance),
    changeAnswer: answerChanger([route.headers?.response, chosen.headers?.response]),
  };
}

/** Who asks is told nothing of what the mesh calls its services. */
function nowhere(status: number): Answer {
  const body = "nobody can be called by the way of this request now\n";
  return { status, body, flags: "NC", details: "cluster_not_found" };
}
