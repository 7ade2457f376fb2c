import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tokenIssuer } from "../../kit/token-issuer.ts";
import { type CaseOutcome, runCase } from "../suite-runner.ts";
import { securityE2e } from "./security-e2e.ts";

const folder = mkdtempSync(join(tmpdir(), "hauberk-e2e-"));
after(() => rmSync(folder, { recursive: true }));

const pod = (name: string, sidecar: boolean, address: string): object => ({
  serviceAccount: name,
  sidecar,
  headless: false,
  statefulSet: false,
  podIP: { shop: address },
  labels: { app: name },
});
const web = { name: "http", servicePort: 80, workloadPort: 8080, protocol: "HTTP" };
const database = { name: "tcp", servicePort: 90, workloadPort: 9090, protocol: "TCP" };
const hidden = { name: "hidden", servicePort: null, workloadPort: 7070, protocol: "TCP" };
const us = tokenIssuer("us");
const them = tokenIssuer("them");

mkdirSync(join(folder, "fixtures"));
write("fixtures/topology.json", {
  namespaces: { shop: { injected: true } },
  workloads: {
    caller: pod("caller", true, "10.1.0.1"),
    api: pod("api", true, "10.1.0.2"),
    bare: pod("bare", false, "10.1.0.3"),
  },
  ports: [web, database, hidden],
  jwksURI: "https://keys",
});
write("fixtures/tokens.json", {
  tokens: {
    Ann: { token: await us.sign({ sub: "ann" }), payloadB64: "" },
    Eve: { token: await them.sign({ sub: "eve" }), payloadB64: "" },
  },
});
write("fixtures/jwks.json", JSON.parse(us.jwks));

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(content));
}

const security = (kind: string, spec: object, name = "one"): object => ({
  apiVersion: "security.istio.io/v1",
  kind,
  metadata: { name, namespace: "shop" },
  spec,
});
const allow = (...rules: readonly object[]): object => security("AuthorizationPolicy", { rules });
const mode = (name: string): object => security("PeerAuthentication", { mtls: { mode: name } });

let files = 0;

interface Varied {
  readonly table?: string;
  readonly policies?: readonly object[];
  readonly from?: object;
  readonly to?: object;
  readonly expected: object;
  readonly setup?: object;
}

function run(varied: Varied): Promise<CaseOutcome> {
  const { table = "authz", policies = [], from, to, expected, setup } = varied;
  files += 1;
  const name = `${files}.yaml`;
  writeFileSync(
    join(folder, name),
    policies.map((policy) => JSON.stringify(policy)).join("\n---\n"),
  );
  return runCase(securityE2e[table], {
    folder,
    test: {
      name: "case",
      policies: [],
      renderedPolicies: name,
      ...(setup && { setup }),
      from: { ns: "shop", workload: "caller", sa: "caller", sidecar: true, ...from },
      to: { ns: "shop", workload: "api", port: web, method: "GET", path: "/a", ...to },
      expected,
    },
  });
}

const fromCaller = { from: [{ source: { principals: ["cluster.local/ns/shop/sa/caller"] } }] };
const onPath = { to: [{ operation: { paths: ["/a"] } }] };
const forbidden = { allowed: false, httpStatus: 403 };
const through = { allowed: true, httpStatus: 200 };
const bare = { workload: "bare", sa: "bare", sidecar: false };
const knows = security("RequestAuthentication", {
  jwtRules: [{ issuer: "us", jwksUri: "https://keys" }],
});
const forAnn = allow({ when: [{ key: "request.auth.claims[sub]", values: ["ann"] }] });
const bearing = (name: string): object => ({ headers: { Authorization: `Bearer \${${name}}` } });

const passing: [what: string, varied: Varied][] = [
  ["a rule for the caller", { policies: [allow(fromCaller)], expected: through }],
  ["no rule for the caller", { policies: [allow(fromCaller)], from: bare, expected: forbidden }],
  ["a rule for the path", { policies: [allow(onPath)], to: { path: "/b" }, expected: forbidden }],
  [
    "a TCP port, where a rule of HTTP lets nobody in",
    {
      policies: [allow(onPath)],
      to: { port: database },
      expected: { allowed: false, connection: "closed (client sees EOF)" },
    },
  ],
  [
    "STRICT for a caller without sidecar",
    {
      table: "mtls-reachability",
      policies: [mode("STRICT")],
      from: bare,
      expected: { success: false, check: "any error or status other than 200" },
    },
  ],
  [
    "STRICT for a caller with one",
    {
      table: "mtls-reachability",
      policies: [mode("STRICT")],
      expected: { success: true, httpStatus: 200, mtls: true, mtlsObservable: "yes" },
    },
  ],
  [
    "a port that nobody declared, by the pod's address",
    {
      table: "pass-through",
      policies: [mode("STRICT")],
      to: { dial: "pod IP directly", port: hidden },
      expected: { success: false, check: "error or HTTP 403" },
    },
  ],
  [
    "mutual TLS forced there",
    {
      table: "pass-through",
      policies: [mode("STRICT")],
      from: { tls: "mTLS (forced)" },
      to: { dial: "pod IP directly", port: hidden },
      expected: { success: true },
    },
  ],
  ["a token that is known", { policies: [knows, forAnn], to: bearing("Ann"), expected: through }],
  ["no token", { policies: [knows, forAnn], expected: forbidden }],
  [
    "a token of somebody else",
    { policies: [knows], to: bearing("Eve"), expected: { allowed: false, httpStatus: 401 } },
  ],
  [
    "a path as it is forwarded",
    {
      table: "normalization",
      setup: { meshConfig: { pathNormalization: { normalization: "MERGE_SLASHES" } } },
      to: { path: "/a//b" },
      expected: { httpStatus: 200, upstreamPath: "/a/b" },
    },
  ],
  [
    "a path that has no form",
    { table: "normalization", to: { path: "/%00" }, expected: { httpStatus: 400 } },
  ],
  [
    "a certificate of a foreign trust domain",
    {
      table: "ca-and-identity",
      policies: [mode("STRICT")],
      from: { ...bare, clientCertificate: "x.pem (trust domain elsewhere)" },
      expected: { success: false, errorContains: "tls: unknown certificate" },
    },
  ],
];
for (const [what, varied] of passing) {
  test(`passes: ${what}`, async () => {
    assert.deepEqual(await run(varied), { outcome: "passed" });
  });
}

const authorizer =
  'allows a request when header x-ext-authz: allow is present; for TCP allows when the source principal ends in "/sa/a"; otherwise denies';
const provider = {
  name: "ask",
  envoyExtAuthzGrpc: { service: "ask.shop.svc.cluster.local", port: 1 },
};
const custom = (name: string): object =>
  security("AuthorizationPolicy", { action: "CUSTOM", provider: { name }, rules: [onPath] });
const answers: [what: string, to: object, asked: string, expected: object][] = [
  ["allows", { headers: { "X-Ext-Authz": "allow" } }, "ask", through],
  ["denies", {}, "ask", forbidden],
  ["is not asked", { path: "/b" }, "ask", through],
  ["is not known", { headers: { "X-Ext-Authz": "allow" } }, "nobody", forbidden],
];
for (const [what, to, asked, expected] of answers) {
  test(`AP-120: the authorizer ${what}`, async () => {
    const setup = { authorizer, extensionProviders: [provider] };
    const policies = [custom(asked)];
    const outcome = await run({ table: "ext-authz", policies, setup, to, expected });
    assert.deepEqual(outcome, { outcome: "passed" });
  });
}

for (const [what, varied] of [
  ["the verdict", { policies: [allow(fromCaller)], expected: forbidden }],
  ["the status", { expected: { allowed: true, httpStatus: 404.5 } }],
  ["the transport", { expected: { allowed: true, mtls: false } }],
] as const) {
  test(`fails when ${what} is another`, async () => {
    assert.equal((await run(varied)).outcome, "failed");
  });
}

const skips: [varied: Varied, reason: RegExp][] = [
  [{ expected: { allowed: true, moon: "full" } }, /expected\.moon/],
  [{ expected: through, to: { sail: "set" } }, /to\.sail/],
  [{ expected: through, setup: { season: "dry" } }, /setup\.season/],
  [{ expected: through, to: { via: "a tunnel" } }, /to\.via a tunnel/],
  [{ expected: through, to: { dial: "a friend" } }, /to\.dial a friend/],
  [{ expected: through, to: { workload: "api", port: { ...web, servicePort: 81 } } }, /port 81/],
];
for (const [varied, reason] of skips) {
  test(`what is not understood is skipped by name: ${reason.source}`, async () => {
    const outcome = await run(varied);
    assert.equal(outcome.outcome, "skipped");
    assert.match(outcome.outcome === "skipped" ? outcome.reason : "", reason);
  });
}

const targeted = security("AuthorizationPolicy", {
  targetRefs: [{ kind: "Service", group: "", name: "api" }],
  rules: [fromCaller],
});
const captured = { mode: "ztunnel" };
const excluded: [varied: Varied, reason: RegExp][] = [
  [
    {
      table: "ambient",
      policies: [allow(onPath)],
      from: captured,
      to: captured,
      expected: through,
    },
    /AP-66/,
  ],
  [
    {
      table: "ambient",
      policies: [targeted],
      from: captured,
      to: { mode: "ztunnel+waypoint-service" },
      expected: through,
    },
    /AP-16/,
  ],
  [
    {
      table: "ambient",
      policies: [mode("DISABLE")],
      from: captured,
      to: captured,
      expected: through,
    },
    /PA-52/,
  ],
  [
    {
      table: "ambient",
      from: captured,
      to: { ...captured, dial: "pod IP directly" },
      expected: through,
    },
    /TLS-24/,
  ],
];
for (const [varied, reason] of excluded) {
  test(`excluded by rule: ${reason.source}`, async () => {
    const outcome = await run(varied);
    assert.equal(outcome.outcome, "excluded");
    assert.match(outcome.outcome === "excluded" ? outcome.reason : "", reason);
  });
}

test("PA-50: what holds for sidecars too runs as a mesh with them", async () => {
  const policies = [mode("STRICT"), allow(fromCaller)];
  const ends = { table: "ambient", policies, to: captured } as const;
  const { sidecar: _, ...uncaptured } = { ...bare, mode: "none" };
  const expected = { allowed: false, checkAnyOf: ["connection EOF"] };
  assert.equal((await run({ ...ends, from: captured, expected: through })).outcome, "passed");
  assert.equal((await run({ ...ends, from: uncaptured, expected })).outcome, "passed");
});

test("a request through the ingress gateway is carried there, and where its route leads", async () => {
  const networking = { apiVersion: "networking.istio.io/v1" };
  const host = "shop.example.com";
  const policies = [
    {
      ...networking,
      kind: "Gateway",
      metadata: { name: "front", namespace: "shop" },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [host] }],
      },
    },
    {
      ...networking,
      kind: "VirtualService",
      metadata: { name: "shop", namespace: "shop" },
      spec: {
        hosts: [host],
        gateways: ["front"],
        http: [{ route: [{ destination: { host: "api", port: { number: 80 } } }] }],
      },
    },
    { ...allow(onPath), metadata: { name: "gate", namespace: "istio-system" } },
    security("PeerAuthentication", { mtls: { mode: "STRICT" } }),
  ];
  const from = { ns: "istio-system", workload: "istio-ingressgateway", external: true };
  const ask = (path: string, expected: object): Promise<CaseOutcome> =>
    run({
      policies,
      from,
      to: { via: "ingress-gateway", path, headers: { Host: host } },
      expected,
    });
  assert.equal((await ask("/a", through)).outcome, "passed");
  assert.equal((await ask("/b", forbidden)).outcome, "passed");
  const elsewhere = { via: "ingress-gateway", headers: { Host: "other.example.com" } };
  const nowhere = { allowed: false, httpStatus: 404 };
  const told = await run({ policies, from, to: elsewhere, expected: nowhere });
  assert.equal(told.outcome, "passed");
});
