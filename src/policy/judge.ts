/**
 * Answers a question about a mesh that need not run: from the same views, and by the same rules, as the sidecars would.
 * First NetworkPolicies, then the transport, as the caller's sidecar chooses it and the callee's demands it, then
 * authorization.
 */
import type { PortProtocol } from "../api/service.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import { type AskedServer, askedGatewayPort, serverRefusal } from "./asked-server.ts";
import {
  askedConnection,
  askedHttpRequest,
  networkCaller,
  verifiedRequest,
} from "./asked-traffic.ts";
import { type Assumptions, assumptionsOf } from "./assumptions.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";
import {
  authorizeConnection,
  authorizeLocally,
  bindConnection,
  type CompiledAuthorization,
  compileAuthorization,
  findDelegations,
} from "./authorize.ts";
import { authorizersAsked } from "./authorizer-sentences.ts";
import { buildWorkloadView, identityOf } from "./build-workload-view.ts";
import type { Decision, Reason } from "./decision.ts";
import { judgedProtocols } from "./judged-protocols.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { missingToken } from "./missing-token.ts";
import { networkRefusal } from "./network-refusal.ts";
import { type Caller, callingWorkload, type Question, QuestionError } from "./question.ts";
import { type ConcerningLimit, limitsConcerning } from "./rate-limits/limit-sentences.ts";
import { findRoute, type Route, routeThrough, type ServicePortName } from "./route.ts";
import type { Connection, HttpRequest } from "./traffic.ts";
import { carriesAnyBytes, transportRefusal } from "./transport-refusal.ts";
import { undeclaredPort } from "./undeclared-port.ts";
import { refuseUnusableAuthorizers } from "./unusable-authorizers.ts";
import type { Workload } from "./workload.ts";
import type {
  EffectiveClientTls,
  EffectiveMutualTls,
  InboundPort,
  WorkloadView,
} from "./workload-view.ts";

export interface Judgement {
  readonly decision: Decision;
  readonly transport: Transport;
  /** The DestinationRule that chose the transport; absent when none did. */
  readonly clientTls?: EffectiveClientTls;
  /** What the callee's port demands; absent when the callee has no sidecar, and of a gateway. */
  readonly mutualTls?: EffectiveMutualTls;
  /** Of a gateway: which of its servers is called. */
  readonly server?: AskedServer;
  /** What the port was declared to carry. */
  readonly protocol: PortProtocol;
  readonly judgedAs: TrafficProtocol;
  /** The service through which the caller's sidecar knows the port; absent when no service leads there. */
  readonly via?: ServicePortName;
  /** The request as it was judged. */
  readonly request?: Pick<HttpRequest, "method" | "path" | "authority">;
  /** Whom the verdict is left to, and how each is asked. */
  readonly authorizers?: readonly AppliedAuthorizer[];
  /** Which count it, once it is let in; whether one has room is known to the pods alone. */
  readonly limits?: readonly ConcerningLimit[];
  /** What a policy of the callee asks about and the question did not say, with the value it was judged by. */
  readonly assumed: Assumptions;
}

/** What the caller, or its sidecar, sets out to speak. */
export type Transport =
  | {
      readonly kind: "mutual-tls";
      readonly caller: SpiffeId;
      /** The identity of the callee's workload, if it can prove it. */
      readonly callee: SpiffeId;
      /**
       * Which the caller's sidecar accepts of the callee; none where it insists on a name that is in no certificate of
       * the mesh (TLS-32), "any" where it is not known what the caller insists on.
       */
      readonly accepted: readonly SpiffeId[] | "any";
    }
  | { readonly kind: "plaintext" };

/** @throws QuestionError when the callee has no such port, a request is missing, or (BadRequestError) no policy is asked about it */
export function judge(snapshot: MeshSnapshot, question: Question): Judgement {
  const view = buildWorkloadView(snapshot, question.to);
  const asked = askedGatewayPort(view, question);
  const server = asked?.server;
  const port = asked?.port ?? inboundPort(view, question);
  const client = sidecarClient(question.from);
  const { through } = question;
  const route = through
    ? routeThrough(through, { to: question.to, port })
    : findRoute(snapshot, { ...question, client, port });
  const transport = transportOf(snapshot, { question, route });
  const judgedAs = protocolToJudge(port, question);
  const unserved = server && handshakeRefusal(server, transport, route);
  const isProven = transport.kind === "mutual-tls" && !carriesAnyBytes(port);
  const principal = isProven ? transport.caller : undefined;
  const connection = askedConnection({ question, principal, route, port });
  const { trust, inbound } = view;
  const request =
    judgedAs === "http"
      ? askedHttpRequest({
          question,
          inbound,
          route,
          connection,
          ...(asked?.host !== undefined && { host: asked.host }),
        })
      : undefined;
  const verified = request && verifiedRequest(snapshot, question, { request, inbound });
  const refused =
    networkReason(snapshot, question) ??
    unserved ??
    transportRefusal({ transport, to: question.to, port, route, trust });
  const decision: Decision = refused
    ? { verdict: "deny", reason: refused }
    : authorize({ question, view, judgedAs, connection, request, verified });
  return {
    decision,
    ...afterwards(decision, { view, connection, request: verified }),
    transport,
    ...(route?.destination.clientTls && { clientTls: route.destination.clientTls }),
    ...(server === undefined && question.to.injected && { mutualTls: port.mutualTls }),
    ...(server && { server }),
    protocol: port.protocol,
    judgedAs,
    ...(route && { via: viaOf(route) }),
    ...(verified && { request: tellRequest(verified) }),
    assumed: assumptionsOf(snapshot, { question, view, connection, request }),
  };
}

/** What comes behind a decision that does not refuse. */
function afterwards(
  decision: Decision,
  {
    view: { inbound, trust },
    connection,
    request,
  }: {
    readonly view: WorkloadView;
    readonly connection: Connection;
    readonly request: HttpRequest | undefined;
  },
): Pick<Judgement, "authorizers" | "limits"> {
  const authorizers = authorizersAsked(decision, inbound.authorizers);
  const traffic = request ?? { connection, remoteAddress: connection.sourceAddress };
  const limits =
    decision.verdict === "deny" ? [] : limitsConcerning(inbound.rateLimits ?? [], traffic, trust);
  return { ...(authorizers.length > 0 && { authorizers }), ...(limits.length > 0 && { limits }) };
}

function inboundPort(view: WorkloadView, { to, containerPort }: Question): InboundPort {
  const port = view.inbound.ports.find((candidate) => candidate.containerPort === containerPort);
  if (port !== undefined) return port;
  if (view.interception !== undefined && to.addresses !== undefined) {
    const podAddress = to.addresses.ipv4;
    return undeclaredPort(view.interception, { containerPort, podAddress });
  }
  const known = to.ports.map((candidate) => candidate.containerPort).join(", ") || "none";
  throw new QuestionError(
    `${to.namespace}/${to.name} has no container port ${containerPort}; it has: ${known}`,
  );
}

/** A server of a gateway proves what its Gateway says, and asks for what that says. */
function handshakeRefusal(
  server: AskedServer,
  transport: Transport,
  route: Route | undefined,
): Reason | undefined {
  const problem = serverRefusal(server, transport.kind);
  if (problem === undefined) return undefined;
  if (transport.kind === "plaintext") return { because: "peer-not-verified", problem };
  const origin = route?.destination.clientTls?.origin ?? "default";
  return { because: "callee-not-verified", problem, origin };
}

function sidecarClient(from: Caller): Workload | "no-sidecar" {
  const workload = callingWorkload(from);
  return workload?.injected ? workload : "no-sidecar";
}

/** A port that no service leads to is unknown to the caller's sidecar, which then passes plaintext through (TLS-24). */
function transportOf(
  { settings: { trustDomain } }: MeshSnapshot,
  {
    question: { from, to, speaks },
    route,
  }: { readonly question: Question; readonly route: Route | undefined },
): Transport {
  const callee = identityOf(to, trustDomain);
  if (from !== "outside" && "identity" in from) {
    return { kind: "mutual-tls", caller: from.identity, callee, accepted: "any" };
  }
  if (from === "outside" || !from.injected) return { kind: "plaintext" };
  const caller = identityOf(from, trustDomain);
  if (speaks === "mutual-tls") return { kind: "mutual-tls", caller, callee, accepted: "any" };
  if (route?.mutualTls !== true) return { kind: "plaintext" };
  return { kind: "mutual-tls", caller, callee, accepted: route.destination.identities };
}

/** A port of unknown protocol is read as what arrives there. */
function protocolToJudge({ protocol }: InboundPort, { request }: Question): TrafficProtocol {
  const [only, ...others] = judgedProtocols(protocol);
  if (only !== undefined && others.length === 0) return only;
  return request === undefined ? "tcp" : "http";
}

function authorize({
  question,
  view: { inbound, trust },
  judgedAs,
  connection,
  request,
  verified,
}: {
  readonly question: Question;
  readonly view: WorkloadView;
  readonly judgedAs: TrafficProtocol;
  readonly connection: Connection;
  readonly request: HttpRequest | undefined;
  readonly verified: HttpRequest | undefined;
}): Decision {
  if (!question.to.injected) return { verdict: "allow", reason: { because: "no-sidecar" } };
  const compiled = compileAuthorization(inbound.authorization, { protocol: judgedAs, trust });
  const decision =
    request === undefined || verified === undefined
      ? authorizeConnection(compiled, connection)
      : authorizeInStages(compiled, {
          request,
          verified,
          refused: tokenRefusal(question, { inbound, request: verified }),
        });
  return refuseUnusableAuthorizers(decision, inbound.authorizers);
}

/** As a sidecar does: authorizers first, then tokens, then all other policies (AP-2, AP-3). */
function authorizeInStages(
  compiled: CompiledAuthorization,
  {
    request,
    verified,
    refused,
  }: {
    readonly request: HttpRequest;
    readonly verified: HttpRequest;
    readonly refused: Reason | undefined;
  },
): Decision {
  const bound = bindConnection(compiled, request.connection);
  const delegations = findDelegations(bound, request);
  const local: Decision =
    refused === undefined
      ? authorizeLocally(bound, verified)
      : { verdict: "deny", reason: refused };
  if (delegations.length === 0) return local;
  const { verdict, reason } = local;
  const afterwards = { verdict, reason };
  return {
    ...local,
    verdict: "delegate",
    reason: { because: "matched-custom", delegations, afterwards },
  };
}

function tokenRefusal(
  { request: asked }: Question,
  {
    inbound,
    request,
  }: { readonly inbound: WorkloadView["inbound"]; readonly request: HttpRequest },
): Reason | undefined {
  const { authentication } = asked ?? {};
  if (authentication === undefined) return missingToken(inbound.tokenRules, request);
  return "refused" in authentication ? authentication.refused : undefined;
}

/** Comes before all else: the connection does not come about. */
function networkReason(snapshot: MeshSnapshot, question: Question): Reason | undefined {
  const { to, containerPort } = question;
  const refusal = networkRefusal(snapshot, { from: networkCaller(question), to, containerPort });
  return refusal && { because: "network-policy", ...refusal };
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
