/** What a request of the application goes through before it leaves, in this order. */
import type { ProxyHeaders } from "../api/proxy-headers.ts";
import type { HostRoutes } from "../policy/routes/route-table.ts";
import type { Destination } from "../policy/workload-view.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { startSpan } from "../telemetry/tracing/span.ts";
import { calledAs, calledAt } from "./called-destination.ts";
import { isAddressOf, withoutLocalSuffix } from "./destination-lookup.ts";
import {
  type Answer,
  type Exchange,
  refusal,
  runSteps,
  type Step,
  type StepResult,
} from "./exchange.ts";
import { formatAddress } from "./format-address.ts";
import { FORWARDED_CLIENT_CERT } from "./forwarded-client-cert.ts";
import { leaveOutDisguised } from "./http/disguised-fields.ts";
import { OVER_HTTP } from "./http/ready-field.ts";
import { type DestinationName, type OutboundCall, UNKNOWN_DESTINATION } from "./outbound-call.ts";
import type { OutboundWay } from "./outbound-way.ts";
import { parseAuthority } from "./parse-authority.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";
import { reachable } from "./reachable-endpoints.ts";
import {
  identifyRequest,
  refuseAsterisk,
  refuseExpectation,
  refuseLargeHead,
  refuseUnknownMethod,
  refuseWithoutAuthority,
} from "./request-steps.ts";

export interface OutboundExchange extends Exchange {
  readonly call: OutboundCall;
  readonly credentials: ProxyCredentials;
  readonly requestId: ProxyHeaders["requestId"];
  /** Looks a destination up in the newest view. */
  readonly find: (name: {
    readonly host: string;
    readonly port: number;
  }) => Destination | undefined;
  readonly named: (name: DestinationName) => Destination | undefined;
  /** A host of a ServiceEntry, by what the request calls it. */
  readonly told: (port: number, host: string) => Destination | undefined;
  /** Of the connection's last request, where this one goes the same way. */
  readonly knownWay: () => OutboundWay | undefined;
  /** Of users, for the host of a destination; undefined where they have said nothing. */
  readonly routesTo: (destination: Destination) => HostRoutes | undefined;
  /** The same, for a host that no destination has. */
  readonly routesOf: (host: string) => HostRoutes | undefined;
  /** The port that was called, where no destination says it. */
  calledPort: number | undefined;
  /** The request goes where they lead, and perhaps not to `destination`. */
  routes: HostRoutes | undefined;
  destination: Destination | undefined;
  /** Once it is known where the request goes. */
  way: OutboundWay | undefined;
}

export const OUTBOUND_STEPS: readonly Step<OutboundExchange>[] = [
  authenticateProxyUser,
  refuseLargeHead,
  refuseUnknownMethod,
  refuseWithoutAuthority,
  refuseAsterisk,
  findWay,
  identify,
  traceRequest,
  forwardNobody,
  refuseExpectation,
];

/** Of a request that goes another way than the one before. */
const WAY_STEPS: readonly Step<OutboundExchange>[] = [
  findDestination,
  findRoutes,
  refuseWithoutEndpoint,
  refuseUnreachable,
  nameDestination,
];

/** For requests to open a tunnel. */
export const CONNECT_STEPS: readonly Step<OutboundExchange>[] = [
  authenticateProxyUser,
  findTunnelEnd,
  refuseWithoutEndpoint,
  refuseUnreachable,
];

const HTTP_PORT = 80;

function authenticateProxyUser(exchange: OutboundExchange): StepResult {
  const { call, credentials, headers: fields } = exchange;
  if (call.via !== "http-proxy" || credentials(fields) === "accepted") return "continue";
  const problem = "no valid credentials for the pod's HTTP proxy";
  exchange.decision = { verdict: "deny", reason: { because: "not-own-workload", problem } };
  const headers = ["Proxy-Authenticate", 'Basic realm="hauberk"'];
  return {
    ...refusal(407, "the proxy serves its own pod only"),
    details: "not_own_workload",
    headers,
  };
}

function findWay(exchange: OutboundExchange): StepResult {
  const known = exchange.knownWay();
  if (known === undefined) return runSteps(WAY_STEPS, exchange);
  exchange.way = known;
  exchange.destination = known.destination;
  exchange.authority = known.authority;
  return "continue";
}

function findDestination(exchange: OutboundExchange): StepResult {
  const { call, authority = "" } = exchange;
  if (call.via === "unknown") return findTold(exchange);
  if (call.via !== "http-proxy") {
    const named = exchange.named(call.via);
    exchange.destination = named && calledAs(named, parseAuthority(authority)?.host);
    return exchange.destination === undefined ? unreachable(call.via.host) : "continue";
  }
  const isUrl = exchange.form === "absolute" && exchange.scheme === "http";
  if (!isUrl) return refusal(400, "a proxy needs an http:// URL");
  const { host = "", port = HTTP_PORT } = parseAuthority(authority) ?? {};
  exchange.destination = asAsked(exchange.find({ host, port }), { host, port });
  if (exchange.destination === undefined) exchange.calledPort = port;
  return "continue";
}

function findRoutes(exchange: OutboundExchange): StepResult {
  const { destination, call, authority = "" } = exchange;
  if (destination !== undefined) {
    exchange.routes = exchange.routesTo(destination);
    return "continue";
  }
  const { host = "" } = parseAuthority(authority) ?? {};
  exchange.routes = exchange.routesOf(host);
  if (exchange.routes !== undefined) return "continue";
  exchange.decision = UNKNOWN_DESTINATION;
  if (call.via !== "unknown") return unreachable(`${host}:${exchange.calledPort}`);
  const { address, port } = call.facts.local;
  return unreachable(
    host === "" ? formatAddress(call.facts.local) : `${host}" at "${address}:${port}`,
  );
}

function findTunnelEnd(exchange: OutboundExchange): StepResult {
  const { call, authority = "" } = exchange;
  if (call.via !== "http-proxy") return refusal(405, "CONNECT is served by the HTTP proxy only");
  const { host = "", port } = parseAuthority(authority) ?? {};
  if (port === undefined) return refusal(400, "CONNECT needs a host and a port");
  exchange.destination = asAsked(exchange.find({ host, port }), { host, port });
  if (exchange.destination !== undefined) return "continue";
  exchange.decision = UNKNOWN_DESTINATION;
  return unreachable(`${host}:${port}`);
}

/** At an address that nobody knows, the host of a ServiceEntry may be meant. */
function findTold(exchange: OutboundExchange): StepResult {
  const { call, authority = "" } = exchange;
  const { local } = call.facts;
  const { host = "" } = parseAuthority(authority) ?? {};
  const told = exchange.told(local.port, host);
  exchange.destination = told && calledAs(calledAt(told, local), host);
  exchange.calledPort = local.port;
  return "continue";
}

function asAsked(
  found: Destination | undefined,
  { host, port }: { readonly host: string; readonly port: number },
): Destination | undefined {
  return found && calledAs(calledAt(found, { address: withoutLocalSuffix(host), port }), host);
}

function refuseWithoutEndpoint({ destination, routes }: OutboundExchange): StepResult {
  if (destination === undefined || destination.endpoints.length > 0) return "continue";
  if (routes !== undefined) return "continue";
  const { serviceNamespace, serviceName, servicePort, serviceEntry } = destination;
  const [name] = serviceEntry?.lookUp ?? [];
  if (name !== undefined) return unresolved(name.host);
  const body = `service ${serviceNamespace}/${serviceName} has no ready endpoint for port ${servicePort}\n`;
  return { status: 503, body, flags: "UH", details: "no_healthy_upstream" };
}

function refuseUnreachable(exchange: OutboundExchange): StepResult {
  const { destination, routes } = exchange;
  if (destination === undefined || routes !== undefined) return "continue";
  const reach = reachable(destination);
  if ("destination" in reach) {
    exchange.destination = reach.destination;
    return "continue";
  }
  exchange.decision = reach.refused;
  const { serviceNamespace, serviceName } = destination;
  const names = reach.policies.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
  const body = `NetworkPolicy ${names} keeps this pod from service ${serviceNamespace}/${serviceName}\n`;
  const details = responseCodeDetails(reach.refused.reason) ?? "network_policy";
  return { status: 503, body, flags: "-", details };
}

/** Names that mean something on this machine only are replaced: the callee is told the service's name. */
function nameDestination(exchange: OutboundExchange): StepResult {
  const { authority = "", call, destination } = exchange;
  if (destination === undefined || (call.captured && authority !== "")) return "continue";
  const { host = "", port } = parseAuthority(authority) ?? {};
  const listeners = [call.facts.local, destination.listen];
  const isLocal = listeners.some(
    (listen) => listen !== undefined && isAddressOf(listen, { host, port }),
  );
  // An empty Host is a name in HTTP/1 and none in HTTP/2 (RFC 9113 section 8.3.1).
  if (isLocal || authority === "") {
    exchange.authority = `${destination.host}:${destination.servicePort}`;
  } else {
    const name = withoutLocalSuffix(host);
    if (name === host) return "continue";
    exchange.authority = port === undefined ? name : `${name}:${port}`;
  }
  return "continue";
}

function identify(exchange: OutboundExchange): StepResult {
  return exchange.requestId === "generated" ? identifyRequest(exchange) : "continue";
}

function traceRequest(exchange: OutboundExchange): StepResult {
  const { spanSide, headers, destination, authority } = exchange;
  if (spanSide === undefined) return "continue";
  exchange.span = startSpan(spanSide, headers, {
    ...(destination !== undefined && { destination }),
    ...(authority !== undefined && { authority }),
  });
  return "continue";
}

/** OBS-32: an application does not say for whom it speaks; its sidecar's certificate does. */
function forwardNobody({ headers }: OutboundExchange): StepResult {
  headers.remove(FORWARDED_CLIENT_CERT);
  leaveOutDisguised(headers);
  if (headers.isBlank("x-forwarded-proto")) {
    headers.remove("x-forwarded-proto");
    headers.addReady(OVER_HTTP);
  }
  return "continue";
}

function unresolved(host: string): Answer {
  const body = `"${host}" could not be looked up; the sidecar's log says why\n`;
  return { status: 503, body, flags: "UH", details: "no_healthy_upstream" };
}

function unreachable(name: string): Answer {
  const body = `"${name}" is no service and port of the mesh, and nothing else can be reached from here (as with REGISTRY_ONLY): a ServiceEntry would make it known\n`;
  return { status: 502, body, flags: "NR", details: "route_not_found" };
}
