/** The connection and the request that a question is about, as the callee's sidecar would see them. */
import { statedAddress } from "../api/plain-address.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { effectiveRequestAuthentications } from "./effective-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { normalizePath, pathRefusal } from "./path-normalization.ts";
import {
  type AskedRequest,
  BadRequestError,
  callingWorkload,
  type Question,
  QuestionError,
} from "./question.ts";
import type { Route } from "./route.ts";
import { isMeantFor, unmetAudience } from "./token-audience.ts";
import { tokenPayload } from "./token-payload.ts";
import type { Connection, HttpRequest, TokenPayload } from "./traffic.ts";
import type { Workload } from "./workload.ts";
import type { Inbound, InboundPort } from "./workload-view.ts";

const LOOPBACK = "127.0.0.1";
const HTTP_PORT = 80;

/** @param principal whom the caller proves to be; undefined on plaintext */
export function askedConnection({
  question,
  principal,
  route,
  port,
}: {
  readonly question: Question;
  readonly principal: SpiffeId | undefined;
  readonly route: Route | undefined;
  readonly port: InboundPort;
}): Connection {
  return {
    ...(principal !== undefined && {
      principal,
      ...(route && { serverName: route.destination.serverName }),
    }),
    sourceAddress: addressOf(question),
    sourcePort: 0,
    destinationAddress: port.listen.address,
    destinationPort: port.containerPort,
  };
}

/**
 * Before any token is looked at, as authorizers are asked about it (AP-3).
 *
 * @throws QuestionError when the question has no request, or (BadRequestError) one that no policy is asked about
 */
export function askedHttpRequest({
  question,
  inbound,
  route,
  connection,
  host,
}: {
  readonly question: Question;
  readonly inbound: Inbound;
  readonly route: Route | undefined;
  readonly connection: Connection;
  /** What is called where the question does not say; absent: the service that leads there. */
  readonly host?: string;
}): HttpRequest {
  const { request } = question;
  if (request === undefined) {
    throw new QuestionError(
      `container port ${question.containerPort} carries HTTP; say which request is meant, as in 'GET /'`,
    );
  }
  if (!request.path.startsWith("/"))
    throw new BadRequestError(`${request.path}: begins with no slash; a sidecar answers 404`);
  const refusal = pathRefusal(request.path, inbound.pathNormalization);
  if (refusal !== undefined) {
    throw new BadRequestError(`${request.path}: ${refusal}; a sidecar answers 400`);
  }
  return {
    connection,
    method: request.method,
    path: normalizePath(request.path, inbound.pathNormalization),
    authority: request.headers.get("host") ?? host ?? usualAuthority(question, route),
    remoteAddress: forwardedAddress(request) ?? connection.sourceAddress,
    header: (name) => request.headers.get(name),
  };
}

/** The same once its tokens were looked at, as all other policies are asked about it. @throws QuestionError */
export function verifiedRequest(
  snapshot: MeshSnapshot,
  { to, request: asked }: Question,
  { request, inbound }: { readonly request: HttpRequest; readonly inbound: Inbound },
): HttpRequest {
  const { authentication, payload } = asked ?? {};
  if (authentication !== undefined && "refused" in authentication) return request;
  if (authentication === undefined)
    return payload === undefined
      ? request
      : { ...request, token: verifiedToken(snapshot, to, payload) };
  const { token, left } = authentication;
  return {
    ...request,
    path: normalizePath(left.path, inbound.pathNormalization),
    ...(token !== undefined && { token }),
    header: (name) => left.headers.get(name),
  };
}

/** Only a sidecar that knows the issuer, and an audience it is for, has anything of a token (JWT-33, JWT-68). */
function verifiedToken(snapshot: MeshSnapshot, to: Workload, payload: TokenPayload): TokenPayload {
  const { iss } = payload;
  const issuer = typeof iss === "string" ? iss : "";
  const known = effectiveRequestAuthentications(snapshot, to).filter(
    ({ rule }) => rule.issuer === issuer || rule.issuer === "",
  );
  if (known.length === 0) {
    throw new QuestionError(
      `no RequestAuthentication for ${to.namespace}/${to.name} knows the issuer ${JSON.stringify(issuer)}, so no token of it is ever verified there`,
    );
  }
  const accepting = known.filter(({ rule }) => isMeantFor(payload, rule.audiences));
  if (accepting.length === 0) throw new QuestionError(unmetAudience(known, { payload, issuer }));
  const spaceDelimitedClaims = accepting.flatMap(({ rule }) => rule.spaceDelimitedClaims);
  return tokenPayload(payload, { spaceDelimitedClaims });
}

/** Whom NetworkPolicies are asked about: a pod, at the address it is said to have, or the address of a caller that is none. */
export function networkCaller(question: Question): Workload | string {
  const workload = callingWorkload(question.from);
  const { address } = question;
  if (workload === undefined) return addressOf(question);
  return address === undefined
    ? workload
    : { ...workload, addresses: { ipv4: address, ipv6: address } };
}

/** The direct TCP peer, as far as it is known: 127.0.0.1 stands for any other. */
export function addressOf({ from, address }: Pick<Question, "from" | "address">): string {
  if (address !== undefined) return address;
  const workload = callingWorkload(from);
  return workload?.addresses?.ipv4 ?? workload?.ports[0]?.application.address ?? LOOPBACK;
}

/** What callers usually write: the service's name, with its namespace from elsewhere, and a port other than 80. */
function usualAuthority({ from, to, containerPort }: Question, route: Route | undefined): string {
  if (route === undefined) return `${to.name}:${containerPort}`;
  const { serviceName, serviceNamespace, servicePort } = route.destination;
  const near = callingWorkload(from)?.namespace === serviceNamespace;
  const host = near ? serviceName : `${serviceName}.${serviceNamespace}`;
  return servicePort === HTTP_PORT ? host : `${host}:${servicePort}`;
}

/** The rightmost entry of X-Forwarded-For counts, when it is an address (AP-51a). */
export function forwardedAddress({ headers }: AskedRequest): string | undefined {
  return statedAddress(headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "");
}
