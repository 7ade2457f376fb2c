/**
 * VirtualService: where requests and connections for a host go, from sidecars (`mesh`) and from gateways. What Istio itself
 * refuses, `webhook/virtual-service.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
import type { Fields } from "./decoder.ts";
import { durationMsIn } from "./duration-ms-in.ts";
import { type Exported, exported } from "./export-to.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import type { HttpMatch } from "./routing/http-match.ts";
import { httpMatch } from "./routing/read-http-match.ts";
import { directResponse, redirect, type WrittenRedirect } from "./routing/read-own-answer.ts";
import { corsPolicy, faultInjection, mirroredShare } from "./routing/read-route-extras.ts";
import {
  authorityIn,
  headerOperations,
  percentageIn,
  retryPolicy,
  rewriteOf,
} from "./routing/read-route-parts.ts";
import type {
  CorsPolicy,
  FaultInjection,
  HeaderOperations,
  ResponseAction,
  RetryPolicy,
  Rewrite,
} from "./routing/route-parts.ts";
import { numberIn, textIn, textsIn } from "./webhook/written-values.ts";

export interface VirtualService extends Exported {
  readonly kind: "VirtualService";
  readonly meta: ResourceMeta;
  /** As written; none: others delegate to it. */
  readonly hosts: readonly string[];
  /** As written: `mesh`, `NAME`, `NAMESPACE/NAME`; never empty. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRule[];
  readonly tls: readonly StreamRule[];
  readonly tcp: readonly StreamRule[];
}

export const MESH_GATEWAY = "mesh";

/** An HTTP route as written, for all of its matches. */
export interface HttpRule {
  readonly line: number;
  readonly name: string;
  /** Empty: for everything. */
  readonly matches: readonly HttpRuleMatch[];
  readonly action: HttpRuleAction;
  readonly rewrite?: Rewrite;
  /** Absent: nothing is said. */
  readonly timeoutMs?: number;
  readonly retries?: RetryPolicy | "off";
  readonly mirrors: readonly WrittenMirror[];
  readonly headers?: HeaderOperations;
  readonly cors?: CorsPolicy;
  readonly fault?: FaultInjection;
}

/** Whom a match is for, and what it demands of a request. */
export interface HttpRuleMatch {
  readonly name: string;
  readonly clients: MatchedClients;
  readonly condition: HttpMatch;
}

export interface MatchedClients {
  /** As written; empty: those of the VirtualService. */
  readonly gateways: readonly string[];
  readonly sourceLabels: Labels;
  /** "": any. */
  readonly sourceNamespace: string;
}

export type HttpRuleAction =
  | { readonly do: "forward"; readonly destinations: readonly WeightedDestination[] }
  | WrittenRedirect
  | ResponseAction
  | { readonly do: "delegate"; readonly name: string; readonly namespace: string };

export interface WrittenDestination {
  /** As written: a short name is of the VirtualService's own namespace. */
  readonly host: string;
  /** Absent: the only one of the service, or that of the listener. */
  readonly port?: number;
  readonly subset?: string;
}

export interface WeightedDestination {
  readonly destination: WrittenDestination;
  readonly weight: number;
  readonly headers?: HeaderOperations;
  /** That `headers` sets. */
  readonly authority?: string;
}

export interface WrittenMirror {
  readonly destination: WrittenDestination;
  readonly millionths: number;
}

/** A route for TLS, by server names, or for TCP. */
export interface StreamRule {
  readonly line: number;
  /** Empty: for everything. */
  readonly matches: readonly StreamMatch[];
  readonly destinations: readonly WeightedDestination[];
}

export interface StreamMatch {
  readonly clients: MatchedClients;
  /** Empty for TCP. */
  readonly serverNames: readonly string[];
  readonly destinationSubnets: readonly string[];
  readonly port?: number;
}

export function virtualService(meta: ResourceMeta, root: Fields): VirtualService {
  const spec = root.section("spec");
  const gateways = textsIn(spec, "gateways");
  return {
    kind: "VirtualService",
    meta,
    hosts: textsIn(spec, "hosts"),
    gateways: gateways.length === 0 ? [MESH_GATEWAY] : gateways,
    ...exported(spec, meta.namespace),
    http: spec.list("http").map(httpRule),
    tls: spec.list("tls").map(streamRule),
    tcp: spec.list("tcp").map(streamRule),
  };
}

/** Of HTTP routes: understood, and without effect here yet. */
const NOT_CARRIED = ["corsPolicy", "mirror", "mirrors"];

function httpRule(route: Fields): HttpRule {
  route.unused(NOT_CARRIED);
  route.section("fault").unused(["delay"]);
  const [rewrite, retries] = [rewriteOf(route, authorityIn(route)), retryPolicy(route)];
  const [headers, cors, fault] = [
    headerOperations(route),
    corsPolicy(route),
    faultInjection(route),
  ];
  const timeoutMs = durationMsIn(route, "timeout");
  return {
    line: route.line,
    name: textIn(route, "name"),
    matches: route.list("match").map((match) => ({
      name: textIn(match, "name"),
      clients: matchedClients(match),
      condition: httpMatch(match),
    })),
    action: actionOf(route),
    ...(rewrite && { rewrite }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retries && { retries }),
    mirrors: mirrorsOf(route),
    ...(headers && { headers }),
    ...(cors && { cors }),
    ...(fault && { fault }),
  };
}

function actionOf(route: Fields): HttpRuleAction {
  if (route.has("delegate")) {
    const delegate = route.section("delegate");
    return {
      do: "delegate",
      name: textIn(delegate, "name"),
      namespace: textIn(delegate, "namespace"),
    };
  }
  if (route.has("redirect")) return redirect(route.section("redirect"));
  if (route.has("directResponse")) return directResponse(route.section("directResponse"));
  return { do: "forward", destinations: weightedDestinations(route) };
}

/** Of several, those without weight get nothing; a single one gets all. */
function weightedDestinations(route: Fields): readonly WeightedDestination[] {
  const all = route.list("route").map(weightedDestination);
  const [only] = all;
  if (only !== undefined && all.length === 1) return [{ ...only, weight: only.weight || 1 }];
  return all.filter(({ weight }) => weight > 0);
}

function weightedDestination(item: Fields): WeightedDestination {
  const [headers, authority] = [headerOperations(item), authorityIn(item)];
  return {
    destination: destinationAt(item, "destination"),
    weight: Math.max(numberIn(item, "weight"), 0),
    ...(headers && { headers }),
    ...(authority !== undefined && { authority }),
  };
}

function destinationAt(owner: Fields, field: string): WrittenDestination {
  const destination = owner.section(field);
  const port = numberIn(destination.section("port"), "number");
  const subset = textIn(destination, "subset");
  return {
    host: textIn(destination, "host"),
    ...(port > 0 && { port }),
    ...(subset !== "" && { subset }),
  };
}

function mirrorsOf(route: Fields): readonly WrittenMirror[] {
  const one = route.has("mirror")
    ? [{ destination: destinationAt(route, "mirror"), millionths: mirroredShare(route) }]
    : [];
  const several = route
    .list("mirrors")
    .filter((mirror) => mirror.has("destination"))
    .map((mirror) => ({
      destination: destinationAt(mirror, "destination"),
      millionths: percentageIn(mirror) ?? 1_000_000,
    }));
  return [...one, ...several].filter(({ millionths }) => millionths > 0);
}

function streamRule(route: Fields): StreamRule {
  return {
    line: route.line,
    matches: route.list("match").map(streamMatch),
    destinations: weightedDestinations(route),
  };
}

function streamMatch(match: Fields): StreamMatch {
  const port = numberIn(match, "port");
  return {
    clients: matchedClients(match),
    serverNames: textsIn(match, "sniHosts").map((name) => name.toLowerCase()),
    destinationSubnets: textsIn(match, "destinationSubnets"),
    ...(port > 0 && { port }),
  };
}

function matchedClients(match: Fields): MatchedClients {
  return {
    gateways: textsIn(match, "gateways"),
    sourceLabels: match.stringMap("sourceLabels"),
    sourceNamespace: textIn(match, "sourceNamespace"),
  };
}
