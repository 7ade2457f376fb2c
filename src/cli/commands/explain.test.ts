import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ExplainOptions, explainCommand } from "./explain.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: production, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: production}
spec:
  selector: {app: api}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api
      containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: database, namespace: production}
spec:
  selector: {app: database}
  ports: [{name: tcp-sql, port: 5432}, {name: tcp-stats, port: 5433}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: database, namespace: production}
spec:
  selector: {matchLabels: {app: database}}
  template:
    metadata: {labels: {app: database}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 5432}, {containerPort: 5433}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: production}
spec: {selector: {app: nobody}, ports: [{port: 1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend, namespace: production}
spec:
  selector: {matchLabels: {app: frontend}}
  template:
    metadata: {labels: {app: frontend}}
    spec: {serviceAccountName: frontend, containers: [{name: a, image: x}]}
`;
const POLICIES = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  rules:
  - from:
    - source: {principals: ["cluster.local/ns/production/sa/frontend"]}
    to:
    - operation: {methods: ["GET"]}
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-explain-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
  await writeFile(join(folder, "policies.yaml"), POLICIES);
  await writeFile(
    join(folder, "broken.txt"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: UP}\nspex: 1\n",
  );
});
after(() => rm(folder, { recursive: true }));

async function run(
  options: Partial<ExplainOptions>,
): Promise<{ readonly code: number; readonly text: string }> {
  const lines: string[] = [];
  const asked = { file: [folder], from: "production/frontend", to: "production/api:8080" };
  const code = await explainCommand({ ...asked, ...options }, (line) => lines.push(line));
  return { code, text: lines.join("\n") };
}

test("an allowed request: exit 0, identities, mode and rule with file and line", async () => {
  const { code, text } = await run({ request: "GET /orders" });
  assert.equal(code, 0);
  assert.match(text, /^ALLOWED {2}GET \/orders$/m);
  assert.match(text, /spiffe:\/\/cluster\.local\/ns\/production\/sa\/frontend/);
  assert.match(text, /spiffe:\/\/cluster\.local\/ns\/production\/sa\/api/);
  assert.match(
    text,
    /STRICT, set by PeerAuthentication istio-system\/default \(.*policies\.yaml:\d+\)/,
  );
  assert.match(
    text,
    /rule 1 of AuthorizationPolicy production\/readers \(rules\[0\], .*policies\.yaml:12\)/,
  );
});

test("a denied request: exit 2, the nearest rule and the field that failed", async () => {
  const { code, text } = await run({ request: "PUT /orders" });
  assert.equal(code, 2);
  assert.match(text, /^DENIED {2}PUT \/orders$/m);
  assert.match(text, /The nearest rule:/);
  assert.match(text, /to\.operation\.methods: expected GET; got PUT/);
});

test("a caller outside: plaintext is refused, by the resource that demands mutual TLS", async () => {
  const { code, text } = await run({ from: "outside", request: "GET /" });
  assert.equal(code, 2);
  assert.match(text, /plaintext: the caller proves no identity/);
  assert.match(text, /because .*PeerAuthentication istio-system\/default/);
});

const targets: [to: string, told: RegExp][] = [
  [
    "production/api:8080",
    /production\/api-0, container port 8080 \(http\), as port 80 of Service production\/api/,
  ],
  [
    "production/api:80",
    /production\/api-0, container port 8080 \(http\), as port 80 of Service production\/api/,
  ],
  ["production/api:web", /container port 8080/],
  ["production/api", /container port 8080/],
  ["production/api-1:8080", /production\/api-1, container port 8080/],
];
for (const [to, told] of targets) {
  test(`--to ${to} is found, and said which it is`, async () => {
    const { code, text } = await run({ to, request: "GET /" });
    assert.equal(code, 0);
    assert.match(text, told);
  });
}

test("a TCP port needs no request, and says that HTTP is not asked there", async () => {
  const to = "production/database:5432";
  assert.match((await run({ to })).text, /^ALLOWED {2}a connection$/m);
  assert.match((await run({ to, request: "GET /" })).text, /carried as TCP/);
});

test("headers are repeatable, and joined", async () => {
  const { text } = await run({
    request: "GET /",
    header: ["Host: a", "X-Y: 1", "x-y: 2"],
    json: true,
  });
  const { request } = JSON.parse(text) as { request: { authority: string } };
  assert.equal(request.authority, "a");
});

test("--json prints the decision as data", async () => {
  const { code, text } = await run({ request: "PUT /", json: true });
  assert.equal(code, 2);
  const answer = JSON.parse(text) as { decision: { reason: { because: string } }; to: string };
  assert.equal(answer.decision.reason.because, "no-allow-matched");
  assert.equal(answer.to, "production/api-0");
});

const faulty: [options: Partial<ExplainOptions>, problem: RegExp][] = [
  [{}, /carries HTTP; say which request/],
  [{ from: "frontend" }, /expected NAMESPACE\/WORKLOAD or outside/],
  [
    { from: "production/x" },
    /no such workload; known: production\/api, production\/database, production\/frontend, outside/,
  ],
  [{ to: "production" }, /expected NAMESPACE\/WORKLOAD:PORT/],
  [{ to: "production/x:1" }, /no such workload or service; known: .*; services: production\/api/],
  [{ to: "production/api:9" }, /no port 9; container ports: 8080; service ports: 80/],
  [{ to: "production/database" }, /say which port is meant; container ports: 5432, 5433/],
  [{ to: "production/nobody:1" }, /no workload stands behind port 1/],
  [{ request: "orders" }, /expected METHOD PATH/],
  [{ request: "GET http://x/" }, /expected METHOD PATH/],
  [{ request: "GET /#x" }, /fragment/],
  [{ request: "GET /", header: ["nonsense"] }, /expected NAME: VALUE/],
  [{ header: ["a: b"] }, /of no use without --request/],
];
for (const [options, problem] of faulty) {
  test(`exit 1 and why: ${JSON.stringify(options)}`, async () => {
    const { code, text } = await run(options);
    assert.equal(code, 1);
    assert.match(text, problem);
    const json = await run({ ...options, json: true });
    assert.equal(json.code, 1);
    assert.match((JSON.parse(json.text) as { error: string }).error, problem);
  });
}

test("exit 1 with every issue at file:line when the YAML is broken, or missing", async () => {
  const file = [join(folder, "broken.txt"), join(folder, "missing.yaml"), folder];
  const { code, text } = await run({ file, request: "GET /" });
  assert.equal(code, 1);
  assert.match(text, /broken\.txt:3\b/);
  assert.match(text, /broken\.txt:4\b/);
  assert.match(text, /missing\.yaml:1\b/);
  const json = await run({ file, request: "GET /", json: true });
  assert.equal(json.code, 1);
  assert.ok((JSON.parse(json.text) as { issues: unknown[] }).issues.length >= 3);
});
