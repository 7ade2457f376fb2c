/** What the engine says, asked as a callee's proxy asks it: about what it makes of a connection's bytes. */
import { METHODS } from "node:http";
import { statedAddress } from "../../src/api/plain-address.ts";
import { parseSpiffeId, trustDomainOf } from "../../src/identity/spiffe-id.ts";
import {
  authorizeLocally,
  bindConnection,
  type CompiledAuthorization,
  compileAuthorization,
  findDelegations,
} from "../../src/policy/authorize.ts";
import { normalizePath, pathRefusal } from "../../src/policy/path-normalization.ts";
import { tokenPayload } from "../../src/policy/token-payload.ts";
import type { Connection, HttpRequest } from "../../src/policy/traffic.ts";
import { letsPass } from "./authorizers.ts";
import {
  asApplicationsHear,
  isNamedByConnection,
  isOfThisHop,
  sentHeader,
} from "./heard-headers.ts";
import {
  type Call,
  type CalledPort,
  type Outcome,
  PORT_ADDRESSES,
  type PolicySet,
  type WireRequest,
} from "./question.ts";

const denied = (seen: string): Outcome => ({ verdict: "denied", seen });

/** Compiles the set once; asked for each call. */
export function authorizeOf(set: PolicySet): (call: Call) => Outcome {
  const trust = { ...set.trust, rootsPem: [], minimumTlsVersion: "TLSv1.2" } as const;
  const http = compileAuthorization(set.policies, { protocol: "http", trust });
  const tcp = compileAuthorization(set.policies, { protocol: "tcp", trust });
  return (call) => {
    const connection = connectionOf(call, set);
    if (typeof connection === "string") return denied(connection);
    if (call.request === undefined) return judgedConnection(tcp, connection);
    const request = receivedOf(call.request, { set, connection, call });
    return typeof request === "string" ? denied(request) : judged(http, request);
  };
}

function judgedConnection(compiled: CompiledAuthorization, connection: Connection): Outcome {
  const traffic = { connection, remoteAddress: connection.sourceAddress };
  return judged(compiled, { asked: traffic, verified: traffic });
}

interface ReceivedRequest {
  /** As authorizers are asked about it, before its token is looked at (AP-3). */
  readonly asked: HttpRequest;
  /** A text: why its token is refused. */
  readonly verified: HttpRequest | string;
}

type Traffic = Parameters<typeof authorizeLocally>[1];

function judged(
  compiled: CompiledAuthorization,
  { asked, verified }: { readonly asked: Traffic; readonly verified: Traffic | string },
): Outcome {
  const { connection } = asked;
  const bound = bindConnection(compiled, connection);
  for (const { provider } of findDelegations(bound, asked)) {
    const { principal } = connection;
    const header = asked.header === undefined ? undefined : (name: string) => asked.header?.(name);
    if (!letsPass({ provider, principal, header })) return denied(`denied by ${provider}`);
  }
  if (typeof verified === "string") return denied(verified);
  const { verdict, reason } = authorizeLocally(bound, verified);
  return verdict === "allow"
    ? { verdict: "allowed", seen: reason.because }
    : denied(reason.because);
}

/** @returns why there is none */
function connectionOf(call: CalledPort, set: PolicySet): Connection | string {
  const { caller, sourceAddress, containerPort, serverName } = call;
  const common = {
    sourceAddress,
    sourcePort: 40_000,
    destinationAddress: PORT_ADDRESSES.get(containerPort) ?? "",
    destinationPort: containerPort,
  };
  if (caller.kind === "plaintext") return set.mode === "STRICT" ? "plaintext" : common;
  if (set.mode === "DISABLE") return "TLS where none is spoken";
  if (caller.kind !== "identity") return `certificate of ${caller.kind}`;
  const principal = spiffeIdOf(caller.uri);
  if (principal === undefined) return "certificate of no SPIFFE ID";
  if (pathOf(principal) === "") return "certificate of a whole trust domain";
  const accepted = [set.trust.trustDomain, ...set.trust.trustDomainAliases];
  if (!accepted.includes(trustDomainOf(principal))) return "foreign trust domain";
  return {
    ...common,
    principal,
    ...(serverName !== undefined && { serverName: serverName.toLowerCase() }),
  };
}

function spiffeIdOf(uri: string): ReturnType<typeof parseSpiffeId> | undefined {
  try {
    return parseSpiffeId(uri);
  } catch {
    return undefined;
  }
}

/** A leaf certificate names a workload (X509-SVID section 5.2). */
function pathOf(id: string): string {
  return id.slice("spiffe://".length).replace(/^[^/]*/, "");
}

interface Receiver {
  readonly set: PolicySet;
  readonly connection: Connection;
  readonly call: CalledPort;
}

/** @returns why it is not read */
function receivedOf(
  request: WireRequest,
  { set, connection, call }: Receiver,
): ReceivedRequest | string {
  const { method, path, authority, token } = request;
  if (!METHODS.includes(method)) return "unknown method";
  if (!path.startsWith("/")) return "no path";
  if (FROM_CALLERS.some((name) => isNamedByConnection(request, name))) return "forgotten caller";
  if (pathRefusal(path, set.pathNormalization) !== undefined) return "path without a form";
  const header = asApplicationsHear(request, { ...call, set });
  const asked: HttpRequest = {
    connection,
    method,
    path: normalizePath(path, set.pathNormalization),
    authority,
    remoteAddress: remoteAddress(header("x-forwarded-for")) ?? connection.sourceAddress,
    header,
    passedHeader: (name) => (isOfThisHop(request, name) ? undefined : header(name)),
  };
  const isLookedAt = set.tokens === "verified" && token !== undefined && !isPreflight(request);
  if (!isLookedAt) return { asked, verified: asked };
  if (token.flaw !== undefined) return { asked, verified: "token refused" };
  // A good token is taken out.
  const verified: HttpRequest = {
    ...asked,
    header: (name) => (name === "authorization" ? undefined : header(name)),
    passedHeader: (name) => (name === "authorization" ? undefined : asked.passedHeader?.(name)),
    token: tokenPayload(token.payload, { spaceDelimitedClaims: [] }),
  };
  return { asked, verified };
}

const FROM_CALLERS = [
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "authorization",
  "cookie",
] as const;

/** AP-51a */
function remoteAddress(forwardedFor: string | undefined): string | undefined {
  return statedAddress(forwardedFor?.split(",").at(-1)?.trim() ?? "");
}

/** Which is not asked for a token (JWT-22). */
function isPreflight(request: WireRequest): boolean {
  if (request.method !== "OPTIONS" || !sentHeader(request, "origin")) return false;
  return Boolean(sentHeader(request, "access-control-request-method"));
}
