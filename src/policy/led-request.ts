/**
 * Where users' routes lead a request that is asked about: whom it reaches, and as what, or who answers in their place. The
 * route is followed by the caller's sidecar, or by the gateway that was called.
 */
import { isOfConnection } from "../api/routing/connection-headers.ts";
import type { HeaderChanges } from "../api/routing/route-parts.ts";
import { addressOf } from "./asked-traffic.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { Judgement } from "./judge.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type AskedRequest, callingWorkload, type Question } from "./question.ts";
import { gatewayServerFor } from "./routes/gateway-server-for.ts";
import { climbs, httpsLocation, redirectLocation, rewrittenPath } from "./routes/route-outcome.ts";
import { compileRoutes, type HostRoutes, hostNameOf } from "./routes/route-table.ts";
import type { ForwardAction, HttpRoute, RouteDestination } from "./routes/virtual-host.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint, WorkloadView } from "./workload-view.ts";

export interface LedRequest {
  /** Who follows the route. */
  readonly by: "caller" | "gateway";
  /** The first name of the host whose routes count. */
  readonly host: string;
  /** Absent: none of the host's routes is for the request, or none is asked. */
  readonly route?: HttpRoute;
  /** None is asked: the Gateway wants TLS for the host. */
  readonly httpsRedirect?: true;
  readonly outcome: LedOutcome;
}

export type LedOutcome =
  | {
      readonly is: "answered";
      readonly status: number | { readonly grpc: string };
      /** Of a redirect. */
      readonly location?: string;
    }
  | { readonly is: "sent"; readonly to: readonly LedTo[] };

export interface LedTo {
  readonly host: string;
  readonly port: number;
  readonly subset?: string;
  /** Of the requests that the route is for, above 0, at most 100. */
  readonly percent: number;
  /** One for each Deployment (or its like) that is reached. */
  readonly questions: readonly Question[];
  /** Exactly where there is no question: why nobody of this mesh is asked, and what is answered in their place, if that is known. */
  readonly unasked?: { readonly why: string; readonly status?: number };
}

/** What was asked, and what came of it. */
export interface Led {
  /** As it was judged: with what became of its tokens. */
  readonly question: Question;
  readonly judgement: Pick<Judgement, "judgedAs" | "request" | "via" | "server">;
}

/** @returns undefined where no route of users has a say */
export function ledRequest(snapshot: MeshSnapshot, led: Led): LedRequest | undefined {
  const { question, judgement } = led;
  if (question.request === undefined || judgement.judgedAs !== "http") return undefined;
  if (judgement.server !== undefined) return ledByGateway(snapshot, led);
  const caller = callingWorkload(question.from);
  if (caller?.injected !== true || caller.gateway) return undefined;
  const { outbound } = buildWorkloadView(snapshot, caller);
  if (outbound.virtualHosts === undefined || judgement.via === undefined) return undefined;
  const { serviceNamespace, serviceName, servicePort } = judgement.via;
  const called = outbound.destinations.find(
    (one) =>
      one.serviceNamespace === serviceNamespace &&
      one.serviceName === serviceName &&
      one.servicePort === servicePort,
  );
  if (called === undefined) return undefined;
  const table = compileRoutes(outbound.virtualHosts);
  // As a sidecar does, which goes by the address that was called: a host of another service changes nothing.
  const routes = table.hostOf(called.host);
  if (routes === undefined) return undefined;
  const { path } = question.request;
  const sender = { by: "caller", caller: callerOf(question), outbound, scheme: "http" } as const;
  return follow(snapshot, led, { ...sender, routes, path, port: servicePort });
}

function callerOf({ from, address }: Question): Sender["caller"] {
  return { from, ...(address !== undefined && { address }) };
}

function ledByGateway(
  snapshot: MeshSnapshot,
  led: Led & { readonly judgement: Pick<Judgement, "request"> },
): LedRequest | undefined {
  const { to, containerPort } = led.question;
  const { authority, path } = led.judgement.request ?? {};
  const { gateway, outbound } = buildWorkloadView(snapshot, to);
  const listener = gateway?.listeners.find((one) => one.containerPort === containerPort);
  if (listener === undefined || authority === undefined || path === undefined) return undefined;
  const server = gatewayServerFor(listener, hostNameOf(authority));
  if (server?.traffic.is !== "http") return undefined;
  const routes = compileRoutes(server.traffic.virtualHosts).hostOf(authority);
  if (routes === undefined) return undefined;
  const scheme = server.tls === undefined ? "http" : "https";
  const caller = { from: to };
  return follow(snapshot, led, { by: "gateway", caller, outbound, scheme, routes, path });
}

/** Whoever sends the request on, and by which routes. */
interface Sender {
  readonly by: LedRequest["by"];
  readonly caller: Pick<Question, "from" | "address">;
  readonly outbound: WorkloadView["outbound"];
  readonly scheme: "http" | "https";
  readonly routes: HostRoutes;
  readonly path: string;
  /** Of the service that was called, where a sidecar asks. */
  readonly port?: number;
}

function follow(snapshot: MeshSnapshot, led: Led, sender: Sender): LedRequest {
  const { routes, scheme, path, port, by } = sender;
  const request = leavingRequest(led, by);
  const authority = request.headers.get("host") ?? "";
  const [host = ""] = routes.virtualHost.domains;
  const answered = (
    status: Extract<LedOutcome, { is: "answered" }>["status"],
    more: { readonly route?: HttpRoute; readonly location?: string | undefined } = {},
  ): LedRequest => ({
    ...{ by, host, ...(more.route && { route: more.route }) },
    outcome: { is: "answered", status, ...(more.location && { location: more.location }) },
  });
  if (routes.virtualHost.httpsRedirect && scheme === "http") {
    const location = httpsLocation({ authority, path });
    return { ...answered(301, { location }), httpsRedirect: true };
  }
  const token = tokenOf(led.question.request);
  const header = (name: string): string | undefined => request.headers.get(name);
  const route = routes.find({
    ...{ method: request.method, path, authority, scheme, header },
    ...(port !== undefined && { port }),
    ...(token && by === "gateway" && { token }),
  });
  if (route === undefined) return answered(404);
  const { action, fault } = route;
  if (fault?.abort?.millionths === MILLION) {
    const { answer } = fault.abort;
    return answered("httpStatus" in answer ? answer.httpStatus : { grpc: answer.grpcStatus }, {
      route,
    });
  }
  if (action.do === "respond") return answered(action.status, { route });
  if (action.do === "redirect") {
    const location = redirectLocation(route, { scheme, authority, path });
    return answered(location === undefined ? UNSAYABLE : action.status, { route, location });
  }
  const rewritten = rewrittenPath(route, path);
  if (rewritten === undefined) return answered(UNSAYABLE, { route });
  if (rewritten !== path && climbs(rewritten)) return answered(CLIMBING, { route });
  if (action.destinations.length === 0) return answered(action.unresolved, { route });
  const to = sentTo(snapshot, { action, route, request, rewritten, sender });
  return { by, host, route, outcome: { is: "sent", to } };
}

const MILLION = 1_000_000;
/** As the proxies answer. */
const UNSAYABLE = 500;
const CLIMBING = 400;
const NOBODY_READY = 503;

function tokenOf(request: AskedRequest | undefined): AskedRequest["payload"] {
  const { authentication, payload } = request ?? {};
  return authentication !== undefined && "token" in authentication ? authentication.token : payload;
}

/** As it is when routes are asked: a gateway has looked at its tokens, and said whose it is. */
function leavingRequest({ question, judgement }: Led, by: LedRequest["by"]): AskedRequest {
  const { method, path, headers, authentication } = question.request ?? NOTHING;
  const left =
    by === "gateway" && authentication !== undefined && "left" in authentication
      ? authentication.left
      : { path, headers };
  const carried = new Map(left.headers);
  const authority = judgement.request?.authority;
  if (authority !== undefined) carried.set("host", authority);
  if (by === "gateway") {
    const received = carried.get(FORWARDED_FOR);
    const address = addressOf(question);
    carried.set(FORWARDED_FOR, received === undefined ? address : `${received},${address}`);
  }
  const { payload } = question.request ?? NOTHING;
  const kept = by === "caller" && payload !== undefined ? { payload } : {};
  return { method, path: left.path, headers: carried, ...kept };
}

const NOTHING: AskedRequest = { method: "", path: "", headers: new Map() };
const FORWARDED_FOR = "x-forwarded-for";
const ORIGINAL_PATH = "x-envoy-original-path";

interface Sent {
  readonly action: ForwardAction;
  readonly route: HttpRoute;
  readonly request: AskedRequest;
  readonly rewritten: string;
  readonly sender: Sender;
}

function sentTo(snapshot: MeshSnapshot, sent: Sent): readonly LedTo[] {
  const { destinations, unresolved } = sent.action;
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  return destinations.map((chosen) => {
    const port = chosen.port === 0 ? (sent.sender.port ?? 0) : chosen.port;
    const { host, subset, weight, problem } = chosen;
    const named = { host, port, ...(subset !== undefined && { subset }) };
    const percent = destinations.length === 1 ? 100 : (100 * weight) / total;
    const unasked = (why: string, status?: number): LedTo => ({
      ...{ ...named, percent, questions: [] },
      unasked: { why, ...(status !== undefined && { status }) },
    });
    if (problem !== undefined) return unasked(problem, unresolved);
    const destination = destinationOf(sent.sender.outbound, named);
    if (destination === undefined) return unasked("there is no such destination", unresolved);
    if (destination.serviceEntry !== undefined)
      return unasked("a ServiceEntry describes it: what is asked there is not followed here");
    if (destination.endpoints.length === 0)
      return unasked(
        "no endpoint of it is ready, or can prove what a DestinationRule asks for",
        NOBODY_READY,
      );
    const questions = questionsTo(snapshot, { ...sent, chosen, destination });
    if (questions.length > 0) return { ...named, percent, questions };
    return unasked("its endpoints are in another cluster, whose policies are not known here");
  });
}

function destinationOf(
  { destinations, subsets = [] }: WorkloadView["outbound"],
  { host, port, subset }: Pick<LedTo, "host" | "port" | "subset">,
): Destination | undefined {
  const isMeant = (one: Destination): boolean => one.host === host && one.servicePort === port;
  if (subset === undefined) return destinations.find(isMeant);
  return subsets.find((one) => isMeant(one) && one.subset === subset);
}

function questionsTo(
  snapshot: MeshSnapshot,
  {
    chosen,
    destination,
    sender: { caller },
    ...sent
  }: Sent & { readonly chosen: RouteDestination; readonly destination: Destination },
): readonly Question[] {
  const request = arrivingRequest(sent, chosen);
  const { serviceNamespace, serviceName, servicePort } = destination;
  const via = { serviceNamespace, serviceName, servicePort };
  const owners = new Set<string>();
  return destination.endpoints.flatMap((endpoint) => {
    const found = listeningAt(snapshot.workloadsByNamespace.get(serviceNamespace) ?? [], endpoint);
    if (found === undefined) return [];
    const { ownerKind, owner } = found.to;
    const key = `${ownerKind}/${owner}`;
    if (owners.has(key)) return [];
    owners.add(key);
    return { ...caller, ...found, via, through: destination, request };
  });
}

/** On files, pods share their addresses. */
function listeningAt(
  workloads: readonly Workload[],
  { workload, address: { address, port } }: Endpoint,
): Pick<Question, "to" | "containerPort"> | undefined {
  const to = workloads.find(({ name }) => name === workload);
  const found = to?.ports.find(({ listen }) => listen.address === address && listen.port === port);
  return to && found && { to, containerPort: found.containerPort };
}

function arrivingRequest(
  { action, route, request, rewritten }: Pick<Sent, "action" | "route" | "request" | "rewritten">,
  chosen: RouteDestination,
): AskedRequest {
  const headers = new Map(request.headers);
  if (rewritten !== request.path) headers.set(ORIGINAL_PATH, request.path);
  for (const changes of [route.headers?.request, chosen.headers?.request])
    if (changes !== undefined) changeHeaders(headers, changes);
  const authority = action.rewrite?.authority ?? chosen.authority;
  if (authority !== undefined) headers.set("host", authority);
  return { ...request, path: rewritten, headers };
}

/** Set first, then added, then removed, as the proxies do. */
function changeHeaders(headers: Map<string, string>, { set, add, remove }: HeaderChanges): void {
  for (const { name, value } of set) if (!isOfConnection(name)) headers.set(name, value);
  for (const { name, value } of add) {
    if (isOfConnection(name)) continue;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  for (const name of remove) if (!isOfConnection(name)) headers.delete(name);
}
