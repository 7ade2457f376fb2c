/** The match vectors of the specification (appendix B) against the interpreter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { judgeYaml, MESH, policyYaml, SLEEP } from "./judge-yaml.ts";

const source = (fields: string): string => `from: [{source: {${fields}}}]`;
const operation = (fields: string): string => `to: [{operation: {${fields}}}]`;
const when = (key: string, fields: string): string => `when: [{key: "${key}", ${fields}}]`;

const request = (changes: Partial<NonNullable<TrafficFacts["request"]>>): TrafficFacts => ({
  ...SLEEP,
  request: { method: "GET", remoteAddress: "10.0.0.1", headers: {}, ...changes },
});
const path = (text: string): TrafficFacts => request({ path: text });
const host = (text: string): TrafficFacts => request({ authority: text });
const token = (payload: Record<string, unknown>): TrafficFacts => request({ token: payload });
const from = (changes: Partial<TrafficFacts["connection"]>): TrafficFacts => ({
  ...SLEEP,
  connection: { ...SLEEP.connection, ...changes },
});

const { principal: _, ...unidentified } = SLEEP.connection;
const PLAINTEXT: TrafficFacts = { ...SLEEP, connection: unidentified };
const OF_TD1 = from({ principal: "spiffe://td1/ns/default/sa/sleep" });
const MIGRATED = { trustDomain: "td1", trustDomainAliases: ["old"] };
const SERVER_NAME = "outbound_.80_._.httpbin.default.svc.cluster.local";

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly traffic?: TrafficFacts;
  readonly matches: boolean;
  readonly trust?: typeof MIGRATED;
  readonly namespace?: string;
}

const principal = (id: number, value: string, matches: boolean): Vector => ({
  id: `MV-${id}`,
  rule: source(`principals: ["${value}"]`),
  matches,
});
const pathVector = (id: number, value: string, [received, matches]: [string, boolean]): Vector => ({
  id: `MV-${id}`,
  rule: operation(`paths: ["${value}"]`),
  traffic: path(received),
  matches,
});
const claim = (id: number, written: string, [payload, matches]: [object, boolean]): Vector => {
  const [name = "", value = ""] = written.split("=");
  const traffic = token({ ...payload });
  return {
    id: `MV-${id}`,
    rule: when(`request.auth.claims[${name}]`, `values: ["${value}"]`),
    traffic,
    matches,
  };
};

const VECTORS: readonly Vector[] = [
  principal(1, "cluster.local/ns/default/sa/sleep", true),
  principal(2, "spiffe://cluster.local/ns/default/sa/sleep", false),
  principal(3, "*/ns/default/sa/sleep", true),
  principal(4, "*/sa/sleep", true),
  principal(5, "cluster.local/ns/default/*", true),
  principal(6, "cluster.local/*/sa/sleep", false),
  principal(7, "*", true),
  { ...principal(7, "*", false), traffic: PLAINTEXT },
  principal(8, "Cluster.local/ns/default/sa/sleep", false),
  principal(9, "*sleep*", false),
  { id: "MV-10", rule: source('notPrincipals: ["*"]'), traffic: PLAINTEXT, matches: true },
  { ...principal(11, "old/ns/default/sa/sleep", true), traffic: OF_TD1, trust: MIGRATED },
  { ...principal(12, "old/ns/default/*", false), traffic: OF_TD1, trust: MIGRATED },
  { ...principal(13, "cluster.local/ns/default/sa/sleep", true), traffic: OF_TD1, trust: MIGRATED },
  { id: "MV-14", rule: source('namespaces: ["default"]'), matches: true },
  { id: "MV-15", rule: source('namespaces: ["def*"]'), matches: true },
  { id: "MV-16", rule: source('namespaces: ["*a"]'), matches: false },
  { id: "MV-17", rule: source('namespaces: ["defaul."]'), matches: false },
  { id: "MV-18", rule: source('serviceAccounts: ["sleep"]'), matches: true },
  {
    id: "MV-19",
    rule: source('serviceAccounts: ["sleep"]'),
    namespace: "istio-system",
    matches: false,
  },
  {
    id: "MV-20",
    rule: source('serviceAccounts: ["default/sleep"]'),
    traffic: OF_TD1,
    namespace: "istio-system",
    matches: true,
  },
  {
    id: "MV-21",
    rule: operation('hosts: ["Example.com"]'),
    traffic: host("example.COM"),
    matches: true,
  },
  {
    id: "MV-22",
    rule: operation('hosts: ["example.com"]'),
    traffic: host("example.com:80"),
    matches: false,
  },
  {
    id: "MV-23",
    rule: operation('hosts: ["*.example.com"]'),
    traffic: host("example.com"),
    matches: false,
  },
  { id: "MV-24", rule: operation('methods: ["get"]'), matches: false },
  pathVector(25, "/a", ["/a?x=1", true]),
  pathVector(26, "/a*", ["/abc", true]),
  pathVector(27, "/a/*", ["/a", false]),
  pathVector(28, "/a/{*}/c", ["/a/b/c", true]),
  pathVector(29, "/a/{*}/c", ["/a/b/b/c", false]),
  pathVector(30, "/a/{**}", ["/a/", true]),
  pathVector(31, "/a/{**}/c", ["/a/x/y/c", true]),
  {
    id: "MV-32",
    rule: operation('ports: ["80"]'),
    traffic: from({ destinationPort: 8080 }),
    matches: false,
  },
  {
    id: "MV-33",
    rule: source('ipBlocks: ["10.0.0.7/24"]'),
    traffic: from({ sourceAddress: "10.0.0.200" }),
    matches: true,
  },
  {
    id: "MV-34",
    rule: when("request.headers[x-a]", 'values: ["*"]'),
    traffic: request({ headers: { "x-a": "" } }),
    matches: true,
  },
  {
    id: "MV-35",
    rule: when("request.headers[X-A]", "values: [v]"),
    traffic: request({ headers: { "x-a": "V" } }),
    matches: false,
  },
  { id: "MV-36", rule: when("request.headers[x-a]", 'notValues: ["*"]'), matches: true },
  {
    id: "MV-37",
    rule: source('requestPrincipals: ["iss/sub"]'),
    traffic: token({ iss: "iss", sub: "sub" }),
    matches: true,
  },
  {
    id: "MV-38",
    rule: source('requestPrincipals: ["https://i/*"]'),
    traffic: token({ iss: "https://i", sub: "x" }),
    matches: true,
  },
  {
    id: "MV-39",
    rule: source('requestPrincipals: ["*"]'),
    traffic: token({ iss: "https://i" }),
    matches: false,
  },
  {
    id: "MV-40",
    rule: source('requestPrincipals: ["https://i/a/b"]'),
    traffic: token({ iss: "https://i", sub: "a/b" }),
    matches: false,
  },
  {
    id: "MV-40",
    rule: source('requestPrincipals: ["https://i/a/b"]'),
    traffic: token({ iss: "https://i/a", sub: "b" }),
    matches: true,
  },
  claim(41, "groups=g1", [{ groups: ["g0", "g1"] }, true]),
  claim(42, "scope=a", [{ scope: ["a", "b"] }, true]),
  claim(43, "scope=a b", [{ scope: ["a", "b"] }, false]),
  claim(44, "level=5", [{ level: 5 }, false]),
  claim(45, "a.b=x", [{ "a.b": "x" }, true]),
  claim(46, "a.b=x", [{ a: { b: "x" } }, false]),
  {
    id: "MV-47",
    rule: when("connection.sni", `values: ["${SERVER_NAME}"]`),
    traffic: from({ serverName: SERVER_NAME }),
    matches: true,
  },
];

for (const { id, rule, traffic = SLEEP, matches, trust = MESH, namespace } of VECTORS) {
  test(`${id} ${rule} ${matches ? "matches" : "does not match"}`, () => {
    const where = namespace === undefined ? {} : { namespace };
    const { verdict } = judgeYaml(policyYaml({ ...where, rules: [rule] }), traffic, trust);
    assert.equal(verdict, matches ? "allow" : "deny");
  });
}

test("appendix B is complete", () => {
  const ids = new Set(VECTORS.map(({ id }) => id));
  assert.equal(ids.size, 47);
});
