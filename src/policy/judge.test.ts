import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { type AskedRequest, type Judgement, judge, QuestionError } from "./judge.ts";

const workload = (namespace: string, name: string, port: number, labels = ""): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}${labels}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: [{containerPort: ${port}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {app: ${name}}
  ports: [{name: PROTOCOL, port: 80, targetPort: ${port}}]`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
${workload("shop", "api", 8080).replace("PROTOCOL", "http")}
${workload("shop", "database", 5432).replace("PROTOCOL", "tcp-db")}
${workload("shop", "unknown", 6000).replace("PROTOCOL", "x")}
${workload("shop", "caller", 7000).replace("PROTOCOL", "http")}
${workload("legacy", "old", 9000).replace("PROTOCOL", "http")}`;

const peerAuthentication = (mode: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: ${mode}}}`;

const authorization = (rules: string, action = "ALLOW"): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: rules, namespace: shop}
spec: {action: ${action}, rules: [${rules}]}`;

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: "none";
}

function ask(extra: string, asked: Asked = {}): Judgement {
  const { from = "shop/caller-0", to = "shop/api-0", port = 8080, path = "/" } = asked;
  const snapshot = snapshotOf(MESH + extra);
  const request: AskedRequest = {
    method: "GET",
    path,
    headers: new Map(Object.entries(asked.headers ?? {})),
  };
  return judge(snapshot, {
    from: from === "outside" ? "outside" : workloadNamed(snapshot, from),
    to: workloadNamed(snapshot, to),
    containerPort: port,
    ...(asked.request !== "none" && { request }),
  });
}

const transports: [mode: string, from: string, transport: string, because: string][] = [
  ["STRICT", "shop/caller-0", "mutual-tls", "no-allow-policy"],
  ["STRICT", "legacy/old-0", "plaintext", "plaintext-refused"],
  ["STRICT", "outside", "plaintext", "plaintext-refused"],
  ["PERMISSIVE", "shop/caller-0", "mutual-tls", "no-allow-policy"],
  ["PERMISSIVE", "outside", "plaintext", "no-allow-policy"],
  ["DISABLE", "shop/caller-0", "plaintext", "no-allow-policy"],
  ["DISABLE", "outside", "plaintext", "no-allow-policy"],
];
for (const [mode, from, transport, because] of transports) {
  test(`PA-30..PA-37, TLS-28 ${from} to a ${mode} port: ${transport}, ${because}`, () => {
    const judgement = ask(peerAuthentication(mode), { from });
    assert.equal(judgement.transport.kind, transport);
    assert.equal(judgement.decision.reason.because, because);
    assert.equal(judgement.mutualTls?.mode, mode);
  });
}

test("PA-37 a refusal of plaintext names the resource that set STRICT", () => {
  const { decision } = ask(peerAuthentication("STRICT"), { from: "outside" });
  assert.ok(decision.reason.because === "plaintext-refused");
  assert.ok(decision.reason.origin !== "default");
  assert.deepEqual(decision.reason.origin.ref, {
    kind: "PeerAuthentication",
    namespace: "shop",
    name: "default",
  });
});

test("TLS-24 a port that no service leads to is called in plaintext", () => {
  const bare = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bare, namespace: shop}
spec:
  selector: {matchLabels: {app: bare}}
  template:
    metadata: {labels: {app: bare}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 1234}]}]}`;
  const judgement = ask(bare, { to: "shop/bare-0", port: 1234, request: "none" });
  assert.equal(judgement.transport.kind, "plaintext");
  assert.equal(judgement.via, undefined);
});

const principal = (name: string): string =>
  `{from: [{source: {principals: ["cluster.local/ns/shop/sa/${name}"]}}]}`;

test("the caller's identity is judged, and absent on plaintext (AP-45b)", () => {
  assert.equal(ask(authorization(principal("caller"))).decision.verdict, "allow");
  assert.equal(ask(authorization(principal("other"))).decision.verdict, "deny");
  const outside = ask(authorization(principal("caller")), { from: "outside" });
  assert.equal(outside.decision.reason.because, "no-allow-matched");
});

test("AP-6 nothing is enforced where there is no sidecar", () => {
  const judgement = ask(peerAuthentication("STRICT"), { to: "legacy/old-0", port: 9000 });
  assert.equal(judgement.decision.reason.because, "no-sidecar");
  assert.equal(judgement.transport.kind, "plaintext");
  assert.equal(judgement.mutualTls, undefined);
});

const judgedAs: [
  to: string,
  port: number,
  request: "none" | undefined,
  protocol: string,
  as: string,
][] = [
  ["shop/api-0", 8080, undefined, "http", "http"],
  ["shop/database-0", 5432, undefined, "tcp", "tcp"],
  ["shop/database-0", 5432, "none", "tcp", "tcp"],
  ["shop/unknown-0", 6000, undefined, "auto", "http"],
  ["shop/unknown-0", 6000, "none", "auto", "tcp"],
];
for (const [to, port, request, protocol, as] of judgedAs) {
  test(`AP-63 a port declared ${protocol} with ${request ?? "a"} request is judged as ${as}`, () => {
    const judgement = ask("", { to, port, ...(request && { request }) });
    assert.deepEqual([judgement.protocol, judgement.judgedAs], [protocol, as]);
  });
}

test("AP-61 what a rule says about HTTP is not asked on a TCP port", () => {
  const rules = authorization("{to: [{operation: {methods: [GET]}}]}");
  assert.equal(ask(rules, { to: "shop/database-0", port: 5432 }).decision.verdict, "deny");
  assert.equal(ask(rules).decision.verdict, "allow");
});

test("AP-106 the path is judged in the mesh's form", () => {
  const deny = authorization('{to: [{operation: {paths: ["/admin"]}}]}', "DENY");
  const judgement = ask(deny, { path: "/x/%2e%2e/admin?q=1" });
  assert.equal(judgement.decision.reason.because, "matched-deny");
  assert.equal(judgement.request?.path, "/admin?q=1");
});

const hosts: [from: string, headers: Record<string, string>, authority: string][] = [
  ["shop/caller-0", {}, "api"],
  ["legacy/old-0", {}, "api.shop"],
  ["outside", {}, "api.shop"],
  ["shop/caller-0", { host: "api.example.com" }, "api.example.com"],
];
for (const [from, headers, authority] of hosts) {
  test(`the host from ${from} ${JSON.stringify(headers)} is ${authority}`, () => {
    const deny = authorization(`{to: [{operation: {hosts: ["${authority}"]}}]}`, "DENY");
    const judgement = ask(deny, { from, headers });
    assert.equal(judgement.decision.reason.because, "matched-deny");
    assert.equal(
      judgement.assumed.authority,
      headers["host"] === undefined ? authority : undefined,
    );
  });
}

test("AP-51a the remote address is the rightmost forwarded one, the source address never is", () => {
  const headers = { "x-forwarded-for": "9.9.9.9, 1.2.3.4" };
  const remote = authorization('{from: [{source: {remoteIpBlocks: ["1.2.3.4"]}}]}', "DENY");
  assert.equal(ask(remote, { headers }).decision.verdict, "deny");
  const direct = authorization('{from: [{source: {ipBlocks: ["1.2.3.4", "9.9.9.9"]}}]}', "DENY");
  const judgement = ask(direct, { headers });
  assert.equal(judgement.decision.verdict, "allow");
  assert.equal(judgement.assumed.sourceAddress, "127.0.0.1");
});

test("AP-94 the server name is the one the caller's sidecar sends", () => {
  const sni = "outbound_.80_._.api.shop.svc.cluster.local";
  const rule = authorization(`{when: [{key: connection.sni, values: ["${sni}"]}]}`);
  assert.equal(ask(rule).decision.verdict, "allow");
  assert.equal(ask(rule, { from: "outside" }).decision.verdict, "deny");
});

const faulty: [what: string, asked: Asked, problem: RegExp][] = [
  ["an unknown port", { port: 1 }, /no container port 1; it has: 8080/],
  ["no request on an HTTP port", { request: "none" }, /carries HTTP/],
  ["a fragment (AP-107)", { path: "/a#b" }, /fragment.*400/],
];
for (const [what, asked, problem] of faulty) {
  test(`a question with ${what} is refused`, () => {
    assert.throws(
      () => ask("", asked),
      (error) => error instanceof QuestionError && problem.test(error.message),
    );
  });
}
