/**
 * Answers a question about a mesh that need not run: from the same views, and by the same rules, as the sidecars would.
 * First NetworkPolicies, then the transport, as the caller's sidecar chooses it and the callee's demands it, then
 * authorization.
 */
import { plainAddress } from "../api/plain-address.ts";
import type { PortProtocol } from "../api/service.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";
import { authorizeConnection, authorizeRequest, compileAuthorization } from "./authorize.ts";
import { buildWorkloadView, identityOf } from "./build-workload-view.ts";
import type { Decision, Reason } from "./decision.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { isolatingPolicies } from "./network-policy.ts";
import { networkRefusal } from "./network-refusal.ts";
import { normalizePath, pathRefusal } from "./path-normalization.ts";
import { findRoute, type Route, type ServicePortName } from "./route.ts";
import type { Connection, HttpRequest } from "./traffic.ts";
import { transportRefusal } from "./transport-refusal.ts";
import type { Workload } from "./workload.ts";
import type {
  EffectiveClientTls,
  EffectiveMutualTls,
  InboundPort,
  WorkloadView,
} from "./workload-view.ts";

export interface Question {
  readonly from: Caller;
  readonly to: Workload;
  readonly containerPort: number;
  /** The service by which the caller calls; without it the first that leads to the port. */
  readonly via?: ServicePortName;
  /** Needed on a port that carries HTTP, and of no consequence on one that is carried as TCP. */
  readonly request?: AskedRequest;
}

/** "outside" is a caller that is no workload of the mesh, and has no sidecar. */
export type Caller = Workload | "outside";

export interface AskedRequest {
  readonly method: string;
  /** As the caller sends it, with its query if any. */
  readonly path: string;
  /** Names in lower case; several values of one name joined with ",". `host` is the authority. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface Judgement {
  readonly decision: Decision;
  readonly transport: Transport;
  /** The DestinationRule that chose the transport; absent when none did. */
  readonly clientTls?: EffectiveClientTls;
  /** What the callee's port demands; absent when the callee has no sidecar. */
  readonly mutualTls?: EffectiveMutualTls;
  /** What the port was declared to carry. */
  readonly protocol: PortProtocol;
  readonly judgedAs: TrafficProtocol;
  /** The service through which the caller's sidecar knows the port; absent when no service leads there. */
  readonly via?: ServicePortName;
  /** The request as it was judged. */
  readonly request?: Pick<HttpRequest, "method" | "path" | "authority">;
  /** What a policy of the callee asks about and the question did not say, with the value it was judged by. */
  readonly assumed: Assumptions;
}

export interface Assumptions {
  readonly authority?: string;
  readonly sourceAddress?: string;
}

/** What the caller's sidecar sets out to speak. */
export type Transport =
  | {
      readonly kind: "mutual-tls";
      readonly caller: SpiffeId;
      /** The identity of the callee's workload, if it can prove it. */
      readonly callee: SpiffeId;
      /** Which the caller's sidecar accepts of the callee; none where it insists on a name that is in no certificate of the mesh (TLS-32). */
      readonly accepted: readonly SpiffeId[];
    }
  | { readonly kind: "plaintext" };

/** The question cannot be answered as it was put; the message says what is wrong with it. */
export class QuestionError extends HauberkError {
  readonly code = "HAUBERK_BAD_QUESTION";
}

const LOOPBACK = "127.0.0.1";
const HTTP_PORT = 80;
const AUTHORITY_FIELDS = /^(hosts|notHosts|request\.headers\[(host|:authority)\])$/i;
const ADDRESS_FIELDS = /^((not)?(remote)?ipBlocks|source\.ip|remote\.ip)$/i;

/** @throws QuestionError when the callee has no such port, a request is missing, or its path would be answered with 400 */
export function judge(snapshot: MeshSnapshot, question: Question): Judgement {
  const view = buildWorkloadView(snapshot, question.to);
  const port = inboundPort(view, question);
  const client = sidecarClient(question.from);
  const route = findRoute(snapshot, { ...question, client, port });
  const transport = transportOf(snapshot, { question, route });
  const judgedAs = protocolToJudge(port, question);
  const sourceAddress = addressOf(question.from);
  const connection = buildConnection({ transport, route, port, sourceAddress });
  const request =
    judgedAs === "http" ? buildRequest(view, { question, route, connection }) : undefined;
  const callee = transport.kind === "mutual-tls" ? transport.callee : undefined;
  const refused =
    networkReason(snapshot, question) ?? transportRefusal({ callee, to: question.to, port, route });
  return {
    decision: refused
      ? { verdict: "deny", reason: refused }
      : authorize(view, { question, judgedAs, connection, request }),
    transport,
    ...(route?.destination.clientTls && { clientTls: route.destination.clientTls }),
    ...(question.to.injected && { mutualTls: port.mutualTls }),
    protocol: port.protocol,
    judgedAs,
    ...(route && { via: viaOf(route) }),
    ...(request && { request: tellRequest(request) }),
    assumed: {
      ...(request?.authority !== undefined &&
        !question.request?.headers.has("host") &&
        asksAbout(view, AUTHORITY_FIELDS) && { authority: request.authority }),
      ...((asksAbout(view, ADDRESS_FIELDS) || admitsByAddress(snapshot, question)) && {
        sourceAddress,
      }),
    },
  };
}

function inboundPort(view: WorkloadView, { to, containerPort }: Question): InboundPort {
  const port = view.inbound.ports.find((candidate) => candidate.containerPort === containerPort);
  if (port !== undefined) return port;
  const known = to.ports.map((candidate) => candidate.containerPort).join(", ") || "none";
  throw new QuestionError(
    `${to.namespace}/${to.name} has no container port ${containerPort}; it has: ${known}`,
  );
}

function sidecarClient(from: Caller): Workload | "no-sidecar" {
  return from !== "outside" && from.injected ? from : "no-sidecar";
}

/** A port that no service leads to is unknown to the caller's sidecar, which then passes plaintext through (TLS-24). */
function transportOf(
  { settings: { trustDomain } }: MeshSnapshot,
  {
    question: { from, to },
    route,
  }: { readonly question: Question; readonly route: Route | undefined },
): Transport {
  if (from === "outside" || !from.injected || route?.mutualTls !== true) {
    return { kind: "plaintext" };
  }
  return {
    kind: "mutual-tls",
    caller: identityOf(from, trustDomain),
    callee: identityOf(to, trustDomain),
    accepted: route.destination.identities,
  };
}

/** A port of unknown protocol is read as what arrives there. */
function protocolToJudge({ protocol }: InboundPort, { request }: Question): TrafficProtocol {
  if (protocol === "auto") return request === undefined ? "tcp" : "http";
  return protocol;
}

function authorize(
  { inbound, trust }: WorkloadView,
  {
    question,
    judgedAs,
    connection,
    request,
  }: {
    readonly question: Question;
    readonly judgedAs: TrafficProtocol;
    readonly connection: Connection;
    readonly request: HttpRequest | undefined;
  },
): Decision {
  if (!question.to.injected) return { verdict: "allow", reason: { because: "no-sidecar" } };
  const compiled = compileAuthorization(inbound.authorization, { protocol: judgedAs, trust });
  return request === undefined
    ? authorizeConnection(compiled, connection)
    : authorizeRequest(compiled, request);
}

function buildConnection({
  transport,
  route,
  port,
  sourceAddress,
}: {
  readonly transport: Transport;
  readonly route: Route | undefined;
  readonly port: InboundPort;
  readonly sourceAddress: string;
}): Connection {
  return {
    ...(transport.kind === "mutual-tls" && {
      principal: transport.caller,
      ...(route && { serverName: route.destination.serverName }),
    }),
    sourceAddress,
    sourcePort: 0,
    destinationAddress: port.listen.address,
    destinationPort: port.containerPort,
  };
}

function buildRequest(
  { inbound }: WorkloadView,
  {
    question,
    route,
    connection,
  }: {
    readonly question: Question;
    readonly route: Route | undefined;
    readonly connection: Connection;
  },
): HttpRequest {
  const { request } = question;
  if (request === undefined) {
    throw new QuestionError(
      `container port ${question.containerPort} carries HTTP; say which request is meant, as in 'GET /'`,
    );
  }
  const refusal = pathRefusal(request.path, inbound.pathNormalization);
  if (refusal !== undefined) {
    throw new QuestionError(`${request.path}: ${refusal}; a sidecar answers 400`);
  }
  return {
    connection,
    method: request.method,
    path: normalizePath(request.path, inbound.pathNormalization),
    authority: request.headers.get("host") ?? usualAuthority(question, route),
    remoteAddress: forwardedAddress(request) ?? connection.sourceAddress,
    header: (name) => request.headers.get(name),
  };
}

/** What callers usually write: the service's name, with its namespace from elsewhere, and a port other than 80. */
function usualAuthority({ from, to, containerPort }: Question, route: Route | undefined): string {
  if (route === undefined) return `${to.name}:${containerPort}`;
  const { serviceName, serviceNamespace, servicePort } = route.destination;
  const near = from !== "outside" && from.namespace === serviceNamespace;
  const host = near ? serviceName : `${serviceName}.${serviceNamespace}`;
  return servicePort === HTTP_PORT ? host : `${host}:${servicePort}`;
}

/** The rightmost entry counts, when it is an address (AP-51a). */
function forwardedAddress({ headers }: AskedRequest): string | undefined {
  return plainAddress(headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "");
}

function addressOf(caller: Caller): string {
  if (caller === "outside") return LOOPBACK;
  return caller.addresses?.ipv4 ?? caller.ports[0]?.application.address ?? LOOPBACK;
}

/** Comes before all else: the connection does not come about. */
function networkReason(
  snapshot: MeshSnapshot,
  { from, to, containerPort }: Question,
): Reason | undefined {
  const caller = from === "outside" ? addressOf(from) : from;
  const refusal = networkRefusal(snapshot, { from: caller, to, containerPort });
  return refusal && { because: "network-policy", ...refusal };
}

/** Whether a NetworkPolicy of the callee has an `ipBlock`. */
function admitsByAddress({ networkPolicies }: MeshSnapshot, { to }: Question): boolean {
  const policies = networkPolicies.get(to.namespace) ?? [];
  return isolatingPolicies(policies, { pod: to, direction: "ingress" })
    .flatMap(({ ingress }) => ingress)
    .flatMap(({ peers }) => peers)
    .some(({ kind }) => kind === "block");
}

/** Whether any rule that applies to the callee has a field, or key, of such a name. */
function asksAbout({ inbound: { authorization } }: WorkloadView, fields: RegExp): boolean {
  return [...authorization.deny, ...authorization.allow]
    .flatMap(({ rules }) => rules)
    .flatMap(({ from, to, when }) => [
      ...[...from, ...to].flatMap((alternative) => Object.keys(alternative)),
      ...when.map(({ key }) => key),
    ])
    .some((field) => fields.test(field));
}

function viaOf({ destination }: Route): Judgement["via"] & object {
  const { serviceNamespace, serviceName, servicePort } = destination;
  return { serviceNamespace, serviceName, servicePort };
}

function tellRequest({ method, path, authority }: HttpRequest): Judgement["request"] & object {
  return {
    method,
    ...(path !== undefined && { path }),
    ...(authority !== undefined && { authority }),
  };
}
