/**
 * Where requests for a host go, as a gateway or a sidecar is told: plain data in a view, made from VirtualServices and
 * HTTPRoutes alike. Who may match (gateways, source labels, source namespace) is settled when it is made.
 */

import type { HttpMatch } from "../../api/routing/http-match.ts";
import type {
  CorsPolicy,
  FaultInjection,
  HeaderOperations,
  PathRewrite,
  RedirectStatus,
  ResponseAction,
  RetryPolicy,
  Rewrite,
} from "../../api/routing/route-parts.ts";
import type { ResourceOrigin } from "../decision.ts";

/** A request belongs to the one virtual host whose domain is the most specific, and to no other. */
export interface VirtualHost {
  /** In lower case, without port: `api.example.com`, `*.example.com` (any labels before it), or `*`. */
  readonly domains: readonly string[];
  /** In order: the first that matches counts. None matches: 404. */
  readonly routes: readonly HttpRoute[];
  /** Of a plaintext listener: every request is answered with 301 to the same place with `https`. */
  readonly httpsRedirect?: true;
}

/** One condition and what follows from it: a rule of a resource with several matches makes several. */
export interface HttpRoute {
  readonly origin: ResourceOrigin;
  /** As users named it; absent: they did not. */
  readonly name?: string;
  readonly match: HttpMatch;
  readonly action: RouteAction;
  /** Of what is forwarded, and of what is answered. */
  readonly headers?: HeaderOperations;
  readonly cors?: CorsPolicy;
  readonly fault?: FaultInjection;
}

export type RouteAction = ForwardAction | RedirectAction | ResponseAction;

export interface ForwardAction {
  readonly do: "forward";
  /** Empty: there is nobody to forward to. */
  readonly destinations: readonly RouteDestination[];
  /** What is answered where there is no such destination: 503 in Istio's routes, 500 in the Gateway API's. */
  readonly unresolved: 500 | 503;
  readonly rewrite?: Rewrite;
  /** Of the whole request, retries included; absent: none. */
  readonly timeoutMs?: number;
  /** Absent: no retries. */
  readonly retries?: RetryPolicy;
  readonly mirrors?: readonly RouteMirror[];
}

export interface RouteDestination {
  /** As in `Destination.host`. */
  readonly host: string;
  /** As in `Destination.servicePort`; 0, in a sidecar: the one that was called. */
  readonly port: number;
  /** Of the DestinationRule for the host; absent: all endpoints. */
  readonly subset?: string;
  /** Above 0. */
  readonly weight: number;
  readonly headers?: HeaderOperations;
  /** The authority that it sees; a route's own rewrite of it comes first. */
  readonly authority?: string;
  /** Set where it must not be called: its share is answered with `unresolved`. For people. */
  readonly problem?: string;
}

export interface RouteMirror {
  readonly host: string;
  readonly port: number;
  readonly subset?: string;
  /** How many of a million requests are sent to it too, above 0. */
  readonly millionths: number;
}

export interface RedirectAction {
  readonly do: "redirect";
  readonly status: RedirectStatus;
  /** Absent: that of the request. */
  readonly scheme?: "http" | "https";
  /** Absent: that of the request, without its port where `port` is given or `scheme` makes it wrong. */
  readonly authority?: string;
  readonly port?: number;
  /** Absent: that of the request. */
  readonly path?: PathRewrite;
}
