/** From facts of any traffic to a call that a client on loopback can make. */
import { METHODS } from "node:http";
import type { TokenPayload } from "../../src/policy/traffic.ts";
import type { Dice } from "../kit/dice.ts";
import type { ConnectionFacts, RequestFacts, TrafficFacts } from "../kit/traffic-facts.ts";
import { generateRequest } from "../kit/traffic-generator.ts";
import { CHECKED } from "./authorizers.ts";
import { TRUSTED_ISSUERS } from "./known-parties.ts";
import { oddPath } from "./odd-path.ts";
import {
  type Call,
  type CalledPort,
  type Caller,
  PORT_ADDRESSES,
  type PolicySet,
  type TokenFlaw,
  type WireRequest,
  type WireToken,
} from "./question.ts";
import { moreHeaders } from "./special-headers.ts";

interface Wish {
  readonly set: PolicySet;
  readonly facts: TrafficFacts;
}

/** Sources that exist on every machine, in the generators' order: near ones stay near. */
const ON_LOOPBACK: ReadonlyMap<string, string> = new Map([
  ["10.0.0.1", "127.0.0.1"],
  ["10.0.0.200", "127.0.0.200"],
  ["10.0.1.1", "127.0.1.1"],
  ["192.168.1.1", "127.168.1.1"],
  ["0.0.0.0", "127.0.0.2"],
  ["255.255.255.255", "127.255.255.254"],
]);

/** The same facts, as far as they can be: addresses of loopback, ports that the set has, what a client can write. */
export function factsOnLoopback(dice: Dice, { set, facts }: Wish): TrafficFacts {
  const { request } = facts;
  const isHttp = request !== undefined;
  const able = set.ports.filter(({ protocol }) =>
    protocol === "auto" ? true : (protocol === "tcp") !== isHttp,
  );
  if (able.length === 0) return factsOnLoopback(dice, { set, facts: otherKind(dice, facts) });
  const { containerPort } = dice.pick(able);
  const destinationAddress = PORT_ADDRESSES.get(containerPort) ?? "127.0.0.1";
  const { sourceAddress, serverName, principal, ...rest } = facts.connection;
  const isTls = principal !== undefined && set.mode !== "DISABLE";
  const connection: ConnectionFacts = {
    ...rest,
    destinationPort: containerPort,
    destinationAddress,
    sourceAddress: destinationAddress.includes(":")
      ? "::1"
      : (ON_LOOPBACK.get(sourceAddress) ?? "127.0.0.1"),
    ...(isTls && { principal: acceptable(dice, { principal, set }) }),
    ...(isTls && serverName !== undefined && serverName !== "" && { serverName }),
  };
  return request === undefined
    ? { connection }
    : { connection, request: writable(dice, request, connection) };
}

/** Foreign trust domains end in the handshake, and ask policies nothing: they are to be few. */
function acceptable(
  dice: Dice,
  { principal, set }: { readonly principal: string; readonly set: PolicySet },
): string {
  const accepted = [set.trust.trustDomain, ...set.trust.trustDomainAliases];
  const [, domain = ""] = /^spiffe:\/\/([^/]+)/.exec(principal) ?? [];
  if (accepted.includes(domain) || dice.chance(0.05)) return principal;
  return principal.replace(domain, dice.pick(accepted));
}

function otherKind(dice: Dice, { connection, request }: TrafficFacts): TrafficFacts {
  return request === undefined ? { connection, request: generateRequest(dice) } : { connection };
}

function writable(dice: Dice, facts: RequestFacts, connection: ConnectionFacts): RequestFacts {
  const { method, path = "/", authority, remoteAddress, headers, token } = facts;
  const verifiable = token === undefined ? undefined : tokenOfTrusted(dice, token);
  return {
    // Of another method an asterisk is no target at all (RFC 9112 section 3.2.4).
    method: path === "*" ? "OPTIONS" : METHODS.includes(method) ? method : "GET",
    path: sentPath(dice, dice.chance(0.1) ? oddPath(dice, path) : path),
    authority: asciiHost(authority),
    remoteAddress: dice.chance(0.5) ? remoteAddress : connection.sourceAddress,
    headers,
    ...(verifiable && { token: verifiable }),
  };
}

/** Hardly anybody sends a fragment, and our own reader refuses it. */
function sentPath(dice: Dice, path: string): string {
  const ascii = path.replaceAll("\u00fc", "%C3%BC");
  return dice.chance(0.02) ? ascii : ascii.replace(/#.*/, "");
}

function asciiHost(authority: string | undefined): string {
  const host = (authority ?? "").replace(/[^\u0021-\u007e]/g, "e");
  return host === "" || host.startsWith(".") ? "example.com" : host;
}

/** Claims that are lists of texts or a text: no library for tokens takes other audiences. */
function tokenOfTrusted(dice: Dice, token: TokenPayload): TokenPayload {
  const { iss, aud, ...claims } = token;
  const audiences = [aud].flat().filter((one) => typeof one === "string");
  return {
    ...claims,
    iss: TRUSTED_ISSUERS.find((issuer) => issuer === iss) ?? dice.pick(TRUSTED_ISSUERS),
    ...(audiences.length > 0 && { aud: audiences.length === 1 ? audiences[0] : audiences }),
    ...(typeof claims["sub"] !== "string" && { sub: "sub" }),
  };
}

export function callOf(dice: Dice, { set, facts }: Wish): Call {
  const { connection, request } = facts;
  const { principal, sourceAddress, destinationPort, serverName } = connection;
  const port: Omit<CalledPort, "protocol"> = {
    caller: callerOf(dice, { principal, set }),
    sourceAddress,
    containerPort: destinationPort,
    ...(serverName !== undefined && { serverName }),
  };
  if (request === undefined) return { ...port, protocol: "tcp" };
  const protocol = dice.chance(0.4) ? "h2" : "http/1.1";
  return { ...port, protocol, request: requestOf(dice, { set, request, connection }) };
}

function callerOf(
  dice: Dice,
  { principal, set }: { readonly principal: string | undefined; readonly set: PolicySet },
): Caller {
  if (principal === undefined) return { kind: "plaintext" };
  if (dice.chance(0.02)) return { kind: "nobody" };
  if (!dice.chance(0.04)) return { kind: "identity", uri: principal };
  const other = `spiffe://${set.trust.trustDomain}/ns/default/sa/sleep`;
  return { kind: "identities", uris: dice.shuffled([principal, other]) };
}

function requestOf(
  dice: Dice,
  parts: {
    readonly set: PolicySet;
    readonly request: RequestFacts;
    readonly connection: ConnectionFacts;
  },
): WireRequest {
  const { set, request, connection } = parts;
  const { method, path = "/", authority = "example.com", remoteAddress, headers, token } = request;
  const forwardedFor =
    remoteAddress === connection.sourceAddress
      ? []
      : [["x-forwarded-for", forwarded(dice, remoteAddress)] as const];
  const isSent = token !== undefined && (set.tokens === "verified" || dice.chance(0.1));
  const wireToken: WireToken | undefined = isSent
    ? { payload: token, ...(dice.chance(0.05) && { flaw: dice.pick(TOKEN_FLAWS) }) }
    : undefined;
  return {
    method,
    path,
    authority,
    ...(dice.chance(0.04) && path !== "*" && { beside: dice.pick(HOSTS_BESIDE) }),
    headers: [
      ...forwardedFor,
      ...Object.entries(headers).flatMap(([name, value]) => spread(dice, name, value)),
      ...moreHeaders(dice, { set, method, hasToken: isSent }),
    ].map(([name, value]) => [dice.chance(0.1) ? inOddCase(dice, name) : name, value] as const),
    ...(WITH_BODY.includes(method) && dice.chance(0.2) && { trailers: TRAILERS }),
    ...(wireToken && { token: wireToken }),
  };
}

const TOKEN_FLAWS: readonly TokenFlaw[] = ["forged", "expired", "unsigned", "garbage", "stranger"];
const HOSTS_BESIDE = ["example.com", "a.example.com", "elsewhere"] as const;
const WITH_BODY: readonly string[] = ["POST", "PUT"];
/** What rules ask for, where nobody looks. */
const TRAILERS: WireRequest["headers"] = [
  ["x-a", "v"],
  ["x-b", "v,w"],
  [CHECKED, "allow"],
];

function inOddCase(dice: Dice, name: string): string {
  return [...name].map((letter) => (dice.chance(0.5) ? letter.toUpperCase() : letter)).join("");
}

function forwarded(dice: Dice, address: string): string {
  return dice.chance(0.3) ? `203.0.113.7, ${address}` : address;
}

/** A value with a comma may come as two fields of one name, which says the same (RFC 9110 section 5.3). */
function spread(
  dice: Dice,
  name: string,
  value: string,
): readonly (readonly [name: string, value: string])[] {
  if (dice.chance(0.1)) return [[name, dice.pick(["v", "w", "va"])] as const, [name, value]];
  if (!value.includes(",") || dice.chance(0.5)) return [[name, value]];
  return value.split(",").map((part) => [name, part.trim()] as const);
}
