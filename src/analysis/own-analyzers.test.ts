/** Each of our own codes: a mesh that has the trap, and one that differs from it in the trap alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { analyzeTexts } from "./analyze-texts.ts";
import { MESSAGES } from "./finding.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}`;

const CART = `apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    metadata: {labels: {app: cart}}
    spec: {serviceAccountName: cart, containers: [{name: cart, image: x}]}`;

const DENY_ALL = authorization("deny-all", "{}");
const STRICT = peerAuthentication("istio-system", "{mtls: {mode: STRICT}}");

function authorization(name: string, spec: string, annotations = "{}"): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop, annotations: ${annotations}}
spec: ${spec}`;
}

function rule(text: string, action = "ALLOW"): string {
  return authorization(
    "rule",
    `{selector: {matchLabels: {app: cart}}, action: ${action}, rules: [${text}]}`,
  );
}

function peerAuthentication(namespace: string, spec: string): string {
  return `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: ${namespace}}
spec: ${spec}`;
}

function service(port: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: ${port}, port: 80}]}`;
}

const TOKENS = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, jwtRules: [{issuer: x, jwks: "{}"}]}`;

const METHOD = "{to: [{operation: {methods: [GET]}}]}";
const OF_BANK = '{from: [{source: {principals: ["cluster.local/ns/bank/sa/a"]}}]}';

const TABLE: readonly (readonly [
  code: string,
  rule: string,
  bad: readonly string[],
  good: readonly string[],
])[] = [
  ["HBK0001", "AP-61", [rule(METHOD), service("tcp")], [rule(METHOD), service("http")]],
  [
    "HBK0002",
    "AP-57",
    [rule('{from: [{source: {notNamespaces: ["bank"]}}]}')],
    [rule('{from: [{source: {namespaces: ["shop"], notNamespaces: ["bank"]}}]}')],
  ],
  [
    "HBK0003",
    "AP-45",
    [rule('{from: [{source: {principals: ["ns/bank/sa/a"]}}]}')],
    [rule(OF_BANK)],
  ],
  [
    "HBK0004",
    "AP-1",
    [rule(OF_BANK), authorization("stop", "{action: DENY, rules: [{}]}")],
    [rule(OF_BANK), authorization("stop", `{action: DENY, rules: [${METHOD}]}`)],
  ],
  ["HBK0005", "AP-7", [rule(OF_BANK)], [rule(OF_BANK), DENY_ALL]],
  ["HBK0006", "PA-30", [rule(OF_BANK, "DENY")], [rule(OF_BANK, "DENY"), STRICT]],
  [
    "HBK0007",
    "JWT-1",
    [TOKENS],
    [TOKENS, rule('{from: [{source: {notRequestPrincipals: ["*"]}}]}', "DENY")],
  ],
  ["HBK0008", "AP-22", [rule("{}")], [rule(METHOD)]],
  [
    "HBK0009",
    "AP-52",
    [rule('{to: [{operation: {hosts: ["cart.shop"]}}]}')],
    [rule('{to: [{operation: {hosts: ["cart.shop", "cart.shop:*"]}}]}')],
  ],
  ["HBK0010", "AP-53", [rule("{to: [{operation: {methods: [get]}}]}")], [rule(METHOD)]],
  [
    "HBK0011",
    "PA-4",
    [peerAuthentication("istio-system", "{selector: {matchLabels: {app: cart}}}")],
    [peerAuthentication("shop", "{selector: {matchLabels: {app: cart}}}")],
  ],
  [
    "HBK0012",
    "AP-54",
    [rule('{to: [{operation: {paths: ["/cart?id=1"]}}]}')],
    [rule('{to: [{operation: {paths: ["/cart"]}}]}')],
  ],
  [
    "HBK0013",
    "AP-30",
    [rule(`${OF_BANK}, ${METHOD}`)],
    [rule(`${OF_BANK.slice(0, -1)}, ${METHOD.slice(1)}`)],
  ],
  ["HBK0014", "account", [CART.replace("serviceAccountName: cart, ", "")], []],
  [
    "HBK0015",
    "AP-50",
    [rule('{from: [{source: {ipBlocks: ["10.0.0.0/8"]}}]}')],
    [rule('{from: [{source: {ipBlocks: ["10.0.0.0/8"], namespaces: ["bank"]}}]}')],
  ],
  [
    "HBK0016",
    "sidecar",
    [rule(OF_BANK), CART.replace("{app: cart}", '{app: cart, sidecar.istio.io/inject: "false"}')],
    [rule(OF_BANK)],
  ],
  [
    "HBK0018",
    "AP-110",
    [authorization("try", `{rules: [${METHOD}]}`, '{istio.io/dry-run: "true"}')],
    [authorization("try", `{rules: [${METHOD}]}`)],
  ],
  [
    "HBK0019",
    "AP-1",
    [rule(OF_BANK), authorization("wide", "{rules: [{from: [{source: {namespaces: [bank]}}]}]}")],
    [rule(OF_BANK), authorization("wide", "{rules: [{from: [{source: {namespaces: [shop]}}]}]}")],
  ],
  [
    "HBK0020",
    "AP-1",
    [rule(OF_BANK), authorization("stop", `{action: DENY, rules: [${OF_BANK}]}`)],
    [
      rule(OF_BANK),
      authorization(
        "stop",
        `{selector: {matchLabels: {app: other}}, action: DENY, rules: [${OF_BANK}]}`,
      ),
    ],
  ],
  [
    "HBK0021",
    "AP-80",
    [rule('{when: [{key: "request.headers[x-admin]", values: ["yes"]}]}')],
    [rule(`${OF_BANK.slice(0, -1)}, when: [{key: "request.headers[x-admin]", values: ["yes"]}]}`)],
  ],
];

const NO_TRAPS: readonly (readonly [code: string, why: string, parts: readonly string[]])[] = [
  [
    "HBK0019",
    "a policy on trial",
    [rule(OF_BANK), authorization("try", `{rules: [${OF_BANK}]}`, '{istio.io/dry-run: "true"}')],
  ],
  [
    "HBK0021",
    "a header that the sidecar writes of a token",
    [
      rule('{when: [{key: "request.headers[x-role]", values: [admin]}]}'),
      TOKENS.replace(
        'jwks: "{}"',
        'jwks: "{}", outputClaimToHeaders: [{header: X-Role, claim: role}]',
      ),
    ],
  ],
  [
    "HBK0021",
    "a claim beside it",
    [
      rule(
        '{when: [{key: "request.headers[x-a]", values: [b]}, {key: "request.auth.claims[sub]", values: [c]}]}',
      ),
    ],
  ],
];
for (const [code, why, parts] of NO_TRAPS)
  test(`${code} is not told of ${why}`, () => {
    assert.ok(!codesOf(parts).has(code));
  });

test("of two rules that are alike one is told", () => {
  const text = [NAMESPACE, CART, rule(`${OF_BANK}, ${OF_BANK}`)].join("\n---\n");
  const found = analyzeTexts([{ file: "mesh.yaml", text }], { now: NOW });
  const told = found.filter(({ code }) => code === "HBK0019").map(({ message }) => message);
  assert.deepEqual(
    told.map((message) => /^Rule #1 .* rule #0 of/.test(message)),
    [true],
  );
});

function codesOf(parts: readonly string[]): ReadonlySet<string> {
  const isOwnCart = parts.some((part) => part.includes("kind: Deployment"));
  const text = [NAMESPACE, ...(isOwnCart ? [] : [CART]), ...parts].join("\n---\n");
  return new Set(analyzeTexts([{ file: "mesh.yaml", text }], { now: NOW }).map(({ code }) => code));
}

for (const [code, why, bad, good] of TABLE) {
  test(`${code} is told of its trap alone (${why})`, () => {
    assert.ok(codesOf(bad).has(code), "of the trap");
    assert.ok(!codesOf(good).has(code), "not of what is meant");
  });
}

test("every code is told once in the catalogue, and ours all have a row here", () => {
  const codes = MESSAGES.map(({ code }) => code);
  assert.deepEqual(codes, [...new Set(codes)]);
  const own = codes.filter((code) => /^HBK00/.test(code));
  assert.deepEqual(
    own,
    TABLE.map(([code]) => code),
  );
});

test("what is set aside is not analyzed", () => {
  const text = [NAMESPACE, CART, rule("{}")].join("\n---\n");
  const setAside = ["AuthorizationPolicy shop/rule"];
  const found = analyzeTexts([{ file: "mesh.yaml", text, setAside }], { now: NOW });
  assert.ok(!found.some(({ code }) => code === "HBK0008"));
});

test("the gravest comes first, and each has the line it is about", () => {
  const text = [NAMESPACE, CART, rule("{to: [{operation: {methods: [get]}}]}")].join("\n---\n");
  const found = analyzeTexts([{ file: "mesh.yaml", text }], { now: NOW });
  const gravity = found.map(({ level }) => ["Error", "Warning", "Info"].indexOf(level));
  assert.deepEqual(
    gravity,
    [...gravity].sort((one, other) => one - other),
  );
  assert.ok(new Set(gravity).size > 1);
  assert.equal(found.find(({ code }) => code === "HBK0010")?.source.line, 16);
});
