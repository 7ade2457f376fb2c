/** What the engine says, asked as a callee's proxy asks it: about what it makes of a connection's bytes. */
import { METHODS } from "node:http";
import { parseSpiffeId, trustDomainOf } from "../../src/identity/spiffe-id.ts";
import {
  authorizeConnection,
  authorizeRequest,
  compileAuthorization,
} from "../../src/policy/authorize.ts";
import { normalizePath, pathRefusal } from "../../src/policy/path-normalization.ts";
import { tokenPayload } from "../../src/policy/token-payload.ts";
import type { Connection, HttpRequest } from "../../src/policy/traffic.ts";
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
    if (call.request === undefined) return outcomeOf(authorizeConnection(tcp, connection));
    const request = requestOf(call.request, { set, connection });
    return typeof request === "string"
      ? denied(request)
      : outcomeOf(authorizeRequest(http, request));
  };
}

function outcomeOf({ verdict, reason }: ReturnType<typeof authorizeRequest>): Outcome {
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
  const principal = parseSpiffeId(caller.uri);
  if (pathOf(principal) === "") return "certificate of a whole trust domain";
  const accepted = [set.trust.trustDomain, ...set.trust.trustDomainAliases];
  if (!accepted.includes(trustDomainOf(principal))) return "foreign trust domain";
  return { ...common, principal, ...(serverName !== undefined && { serverName }) };
}

/** A leaf certificate names a workload (X509-SVID section 5.2). */
function pathOf(id: string): string {
  return id.slice("spiffe://".length).replace(/^[^/]*/, "");
}

function requestOf(
  { method, path, authority, headers, token }: WireRequest,
  { set, connection }: { readonly set: PolicySet; readonly connection: Connection },
): HttpRequest | string {
  if (!METHODS.includes(method)) return "unknown method";
  if (pathRefusal(path, set.pathNormalization) !== undefined) return "path without a form";
  if (token?.forged === true) return "token refused";
  const joined = (name: string): string | undefined => {
    const values = headers.filter(([other]) => other === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(",");
  };
  return {
    connection,
    method,
    path: normalizePath(path, set.pathNormalization),
    authority,
    remoteAddress: joined("x-forwarded-for")?.split(",").at(-1)?.trim() ?? connection.sourceAddress,
    header: joined,
    ...(token && { token: tokenPayload(token.payload, { spaceDelimitedClaims: [] }) }),
  };
}
