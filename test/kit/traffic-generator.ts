/** Traffic from a small alphabet, so that facts collide: with each other, and with the values of policies. */
import type { Dice } from "./dice.ts";
import type { ConnectionFacts, RequestFacts, TrafficFacts } from "./traffic-facts.ts";

export const TRUST_DOMAINS: readonly string[] = ["cluster.local", "td1", "old.td", "oldxtd"];
export const NAMESPACES: readonly string[] = ["default", "a", "ba", "prod.eu", "prodxeu", "sa"];
export const SERVICE_ACCOUNTS: readonly string[] = ["sleep", "a", "a.b", "aXb", "sa", "ns"];
/** Identities of other shapes than Istio's. */
const ODD_PRINCIPALS = [
  "spiffe://td1",
  "spiffe://cluster.local/ns/a",
  "spiffe://cluster.local/ns/a/x/sa/sleep",
  "spiffe://cluster.local/ns/a/sa/sleep/extra",
  "spiffe://td1/ns/ns/ns/a/sa/sa",
  "spiffe://td1/x/ns/default/y/z/sa/a.b",
] as const;
export const ADDRESSES: readonly string[] = [
  "10.0.0.1",
  "10.0.0.200",
  "10.0.1.1",
  "192.168.1.1",
  "0.0.0.0",
  "255.255.255.255",
  "::1",
  "2001:db8::1",
  "2001:db8:0:1::7",
  "fd00::a00:1",
  "::ffff:10.0.0.1",
];
export const PORTS: readonly number[] = [80, 8080, 8443, 65_535];
export const SERVER_NAMES: readonly string[] = [
  "outbound_.80_._.api.default.svc.cluster.local",
  "outbound_.8080_._.api.a.svc.cluster.local",
  "example.com",
  "",
];
export const METHODS: readonly string[] = ["GET", "POST", "PUT", "get", "OPTIONS", "M-SEARCH"];
export const HOSTS: readonly string[] = [
  "example.com",
  "Example.COM",
  "example.com:80",
  "a.example.com",
  ".example.com",
  "\u00c9.example.com",
  "\u00e9.example.com",
  "",
];
const SEGMENTS = ["a", "b", "c", "A", "a.b", "aXb", "", "x=y", "%2f", "\u00fc", "b|c", ";p", "*"];
const QUERIES = ["?x=1", "?", "?/a/b", "?a?b", "#f"];
export const HEADER_NAMES: readonly string[] = ["x-a", "x-b"];
export const HEADER_VALUES: readonly string[] = ["", "v", "V", "v,w", "v, w", "va", "wv", "*"];
export const ISSUERS: readonly string[] = ["https://i", "https://i/a", "iss", ""];
export const SUBJECTS: readonly string[] = ["sub", "a/b", "b", "subject", ""];
export const CLAIM_VALUES: readonly string[] = ["g1", "g0", "a", "a b", "b", "", "5", "*"];
/** What is no text, and so no match. */
const ODD_CLAIMS = [5, true, null, {}, { b: "a" }, [5, true], [["g1"]], []] as const;

export function generateTraffic(dice: Dice): TrafficFacts {
  const connection = generateConnection(dice);
  return dice.chance(0.25) ? { connection } : { connection, request: generateRequest(dice) };
}

/** The same traffic, but for one fact. */
export function changeOneFact(dice: Dice, facts: TrafficFacts): TrafficFacts {
  const other = generateTraffic(dice);
  if (facts.request === undefined || dice.chance(0.4)) {
    return { ...facts, connection: mix(dice, facts.connection, other.connection) };
  }
  const request = mix(dice, facts.request, other.request ?? generateRequest(dice));
  return { ...facts, request };
}

export function generateConnection(dice: Dice): ConnectionFacts {
  const principal = generatePrincipal(dice);
  const serverName = dice.chance(0.4) ? undefined : dice.pick(SERVER_NAMES);
  return {
    ...(principal === undefined ? {} : { principal }),
    sourceAddress: dice.pick(ADDRESSES),
    destinationAddress: dice.pick(ADDRESSES),
    destinationPort: dice.pick(PORTS),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

export function generateRequest(dice: Dice): RequestFacts {
  const path = dice.chance(0.03) ? undefined : generatePath(dice);
  const authority = dice.chance(0.05) ? undefined : dice.pick(HOSTS);
  const token = dice.chance(0.4) ? undefined : generateToken(dice);
  return {
    method: dice.pick(METHODS),
    ...(path === undefined ? {} : { path }),
    ...(authority === undefined ? {} : { authority }),
    remoteAddress: dice.pick(ADDRESSES),
    headers: generateHeaders(dice),
    ...(token === undefined ? {} : { token }),
  };
}

function generatePrincipal(dice: Dice): string | undefined {
  if (dice.chance(0.15)) return undefined;
  if (dice.chance(0.08)) return dice.pick(ODD_PRINCIPALS);
  const [domain, namespace] = [dice.pick(TRUST_DOMAINS), dice.pick(NAMESPACES)];
  return `spiffe://${domain}/ns/${namespace}/sa/${dice.pick(SERVICE_ACCOUNTS)}`;
}

function generatePath(dice: Dice): string {
  if (dice.chance(0.03)) return "*";
  const segments = dice.several(1, 4, () => dice.pick(SEGMENTS));
  const query = dice.chance(0.2) ? dice.pick(QUERIES) : "";
  return `/${segments.join("/")}${query}`;
}

function generateHeaders(dice: Dice): Record<string, string> {
  const present = HEADER_NAMES.filter(() => dice.chance(0.6));
  return Object.fromEntries(present.map((name) => [name, dice.pick(HEADER_VALUES)]));
}

function generateToken(dice: Dice): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  if (dice.chance(0.95)) claims["iss"] = dice.pick(ISSUERS);
  if (dice.chance(0.9)) claims["sub"] = dice.pick(SUBJECTS);
  for (const name of ["aud", "azp", "groups", "scope", "a.b"]) {
    if (dice.chance(0.7)) claims[name] = generateClaim(dice);
  }
  if (dice.chance(0.7)) {
    const inner = dice.chance(0.5) ? { c: generateClaim(dice) } : generateClaim(dice);
    claims["a"] = { b: inner, "b][c": generateClaim(dice) };
  }
  if (dice.chance(0.05)) claims["iss"] = [dice.pick(ISSUERS)];
  return claims;
}

function generateClaim(dice: Dice): unknown {
  if (dice.chance(0.15)) return dice.pick(ODD_CLAIMS);
  if (dice.chance(0.5)) return dice.pick(CLAIM_VALUES);
  return dice.several(1, 3, () => (dice.chance(0.1) ? 5 : dice.pick(CLAIM_VALUES)));
}

/** One of the members is the other's, or is absent as it is there. */
function mix<Facts extends object>(dice: Dice, facts: Facts, other: Facts): Facts {
  const members = Object.keys({ ...facts, ...other });
  const changed = dice.pick(members);
  const kept = Object.entries(facts).filter(([member]) => member !== changed);
  const taken = Object.entries(other).filter(([member]) => member === changed);
  return Object.fromEntries([...kept, ...taken]) as Facts;
}
