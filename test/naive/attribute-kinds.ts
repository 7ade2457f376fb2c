/** Every way in which a rule can ask about an attribute that a sidecar knows (AP-45..AP-94), and which fact it asks about. */
import { pathPatternValue, pathTemplateValue } from "../kit/path-value-generator.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import {
  claimValue,
  destinationAddressValue,
  headerValue,
  hostValue,
  type MakeValue,
  methodValue,
  namespaceValue,
  portValue,
  principalValue,
  remoteAddressValue,
  requestPrincipalValue,
  serverNameValue,
  serviceAccountValue,
  sourceAddressValue,
  trustDomainValue,
} from "../kit/value-generator.ts";

export interface AttributeKind {
  readonly id: string;
  readonly part: "from" | "to" | "when";
  /** A field of the part, or a key of `when`. */
  readonly field: string;
  /** Two kinds about one fact can't be in one rule: a change of the fact would fail both. */
  readonly fact: Fact;
  readonly value: MakeValue;
}

/** Takes one fact of traffic over from other traffic. */
export type Fact = (facts: TrafficFacts, other: TrafficFacts) => TrafficFacts;

type Connection = TrafficFacts["connection"];
type Request = NonNullable<TrafficFacts["request"]>;

const PRINCIPAL = ofConnection("principal");
const SOURCE = ofConnection("sourceAddress");
const DESTINATION = ofConnection("destinationAddress");
const PORT = ofConnection("destinationPort");
const SERVER_NAME = ofConnection("serverName");
const REMOTE = ofRequest("remoteAddress");
const HOST = ofRequest("authority");
const METHOD = ofRequest("method");
const PATH = ofRequest("path");
const HEADER_A = ofHeader("x-a");
const HEADER_B = ofHeader("x-b");
const TOKEN_PRINCIPAL = ofToken("iss", "sub");
const AUDIENCES = ofToken("aud");
const PRESENTER = ofToken("azp");
const GROUPS = ofToken("groups");
const DOTTED = ofToken("a.b");
const NESTED = ofToken("a");

type Row = readonly [id: string, field: string, fact: Fact, value: MakeValue];

const FROM: readonly Row[] = [
  ["AP-45", "principals", PRINCIPAL, principalValue],
  ["AP-46", "namespaces", PRINCIPAL, namespaceValue],
  ["AP-47", "serviceAccounts", PRINCIPAL, serviceAccountValue],
  ["AP-48", "trustDomains", PRINCIPAL, trustDomainValue],
  ["AP-49", "requestPrincipals", TOKEN_PRINCIPAL, requestPrincipalValue],
  ["AP-50", "ipBlocks", SOURCE, sourceAddressValue],
  ["AP-51", "remoteIpBlocks", REMOTE, remoteAddressValue],
];
const TO: readonly Row[] = [
  ["AP-52", "hosts", HOST, hostValue],
  ["AP-53", "methods", METHOD, methodValue],
  ["AP-54", "paths", PATH, pathPatternValue],
  ["AP-55", "paths", PATH, pathTemplateValue],
  ["AP-56", "ports", PORT, portValue],
];
const WHEN: readonly Row[] = [
  ["AP-80", "request.headers[x-a]", HEADER_A, headerValue("x-a")],
  ["AP-80", "request.headers[X-B]", HEADER_B, headerValue("x-b")],
  ["AP-80", "request.headers[:method]", METHOD, headerValue(":method")],
  ["AP-80", "request.headers[:path]", PATH, headerValue(":path")],
  ["AP-98", "request.headers[Host]", HOST, headerValue("host")],
  ["AP-81", "source.ip", SOURCE, sourceAddressValue],
  ["AP-82", "remote.ip", REMOTE, remoteAddressValue],
  ["AP-83", "source.namespace", PRINCIPAL, namespaceValue],
  ["AP-84", "source.principal", PRINCIPAL, principalValue],
  ["AP-85", "source.serviceAccount", PRINCIPAL, serviceAccountValue],
  ["AP-86", "source.trustDomain", PRINCIPAL, trustDomainValue],
  ["AP-87", "request.auth.principal", TOKEN_PRINCIPAL, requestPrincipalValue],
  ["AP-88", "request.auth.audiences", AUDIENCES, claimValue("aud")],
  ["AP-89", "request.auth.presenter", PRESENTER, claimValue("azp")],
  ["AP-91", "request.auth.claims[groups]", GROUPS, claimValue("groups")],
  ["AP-91", "request.auth.claims[a.b]", DOTTED, claimValue("a.b")],
  ["AP-91", "request.auth.claims[a][b][c]", NESTED, claimValue("a", "b", "c")],
  ["AP-92", "destination.ip", DESTINATION, destinationAddressValue],
  ["AP-93", "destination.port", PORT, portValue],
  ["AP-94", "connection.sni", SERVER_NAME, serverNameValue],
];

export const ATTRIBUTE_KINDS: readonly AttributeKind[] = [
  ...rows("from", FROM),
  ...rows("to", TO),
  ...rows("when", WHEN),
];

function rows(part: AttributeKind["part"], table: readonly Row[]): readonly AttributeKind[] {
  return table.map(([id, field, fact, value]) => ({ id, part, field, fact, value }));
}

function ofConnection(name: keyof Connection): Fact {
  return (facts, other) => ({
    ...facts,
    connection: withMembers(facts.connection, other.connection, [name]),
  });
}

function ofRequest(name: keyof Request): Fact {
  return inRequest((request, other) => withMembers(request, other, [name]));
}

function ofHeader(name: string): Fact {
  return inRequest((request, other) => ({
    ...request,
    headers: withMembers(request.headers, other.headers, [name]),
  }));
}

/** The other claims of the token stay. */
function ofToken(...names: readonly string[]): Fact {
  return inRequest((request, other) => ({
    ...request,
    token: withMembers(request.token ?? {}, other.token ?? {}, names),
  }));
}

function inRequest(change: (request: Request, other: Request) => Request): Fact {
  return (facts, { request: other }) => {
    const { request } = facts;
    if (request === undefined || other === undefined) return facts;
    return { ...facts, request: change(request, other) };
  };
}

function withMembers<Facts extends object>(
  facts: Facts,
  other: Facts,
  names: readonly string[],
): Facts {
  const kept = Object.entries(facts).filter(([name]) => !names.includes(name));
  const taken = Object.entries(other).filter(([name]) => names.includes(name));
  return Object.fromEntries([...kept, ...taken]) as Facts;
}
