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

const destinationRule = (host: string, tls: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: chosen, namespace: production}
spec: {host: ${host}, trafficPolicy: {tls: ${tls}}}
`;
const LEGACY = `apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: legacy}
spec:
  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 9000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: legacy}
spec: {selector: {app: old}, ports: [{name: tcp, port: 90, targetPort: 9000}]}
---
`;
/** A second way to the pods of api. */
const ALIAS = `apiVersion: v1
kind: Service
metadata: {name: another, namespace: production}
spec: {selector: {app: api}, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: zeta, namespace: production}
spec: {selector: {app: api}, ports: [{name: http, port: 90, targetPort: 8080}]}
---
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

/** The mesh, and one more file beside it. */
async function besides(name: string, yaml: string): Promise<readonly string[]> {
  const file = join(folder, `${name}.txt`);
  await writeFile(file, yaml);
  return [folder, file];
}

async function run(
  options: Partial<ExplainOptions>,
): Promise<{ readonly code: number; readonly text: string }> {
  const { code, answers, warnings } = await runApart(options);
  return { code, text: [...answers, ...warnings].join("\n") };
}

async function runApart(options: Partial<ExplainOptions>): Promise<{
  readonly code: number;
  readonly answers: readonly string[];
  readonly warnings: readonly string[];
}> {
  const answers: string[] = [];
  const warnings: string[] = [];
  const asked = { file: [folder], from: "production/frontend", to: "production/api:8080" };
  const code = await explainCommand(
    { ...asked, ...options },
    { print: (line) => answers.push(line), warn: (line) => warnings.push(line) },
  );
  return { code, answers, warnings };
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
    /rules\[0\] of AuthorizationPolicy production\/readers \(.*policies\.yaml:12\)/,
  );
});

test("a denied request: exit 2, the nearest rule and the field that failed", async () => {
  const { code, text } = await run({ request: "PUT /orders" });
  assert.equal(code, 2);
  assert.match(text, /^DENIED {2}PUT \/orders {2}403 RBAC: access denied$/m);
  assert.match(text, /The nearest rule:/);
  assert.match(text, /to\.operation\.methods: expected GET; got PUT/);
});

test("a caller outside: plaintext is refused, by the resource that demands mutual TLS", async () => {
  const { code, text } = await run({ from: "outside", request: "GET /" });
  assert.equal(code, 2);
  assert.match(text, /plaintext: the caller proves no identity/);
  assert.match(text, /because .*PeerAuthentication istio-system\/default/);
});

test("a DestinationRule that chose plaintext is named with file and line", async () => {
  const file = await besides("plain", destinationRule("api", "{mode: DISABLE}"));
  const { code, text } = await run({ file, request: "GET /" });
  assert.equal(code, 2);
  assert.match(text, /^ {2}transport {2}plaintext/m);
  assert.match(
    text,
    /^ {2}client TLS DISABLE, set by DestinationRule production\/chosen \(.*plain\.txt:1\)$/m,
  );
  assert.match(text, /^ {2}mode {7}STRICT, set by/m);
});

test("a DestinationRule that says what is so anyway is named, and identities are proved", async () => {
  const file = await besides("mutual", destinationRule("api", "{mode: ISTIO_MUTUAL}"));
  const { code, text } = await run({ file, request: "GET /" });
  assert.equal(code, 0);
  assert.match(text, /client TLS ISTIO_MUTUAL, set by DestinationRule .*mutual\.txt:1\)/);
  assert.match(text, /the caller proves spiffe:/);
  assert.match(text, /the callee proves spiffe:/);
});

const unproven: [what: string, rule: string, to: string, demanded: RegExp][] = [
  [
    "no sidecar",
    destinationRule("old.legacy.svc.cluster.local", "{mode: ISTIO_MUTUAL}"),
    "legacy/old:90",
    /the callee must prove spiffe:\/\/cluster\.local\/ns\/legacy\/sa\/default$/m,
  ],
  [
    "another identity than the rule accepts (TLS-32)",
    destinationRule(
      "database",
      "{mode: ISTIO_MUTUAL, subjectAltNames: ['spiffe://cluster.local/ns/production/sa/x']}",
    ),
    "production/database:5432",
    /the callee must prove spiffe:\/\/cluster\.local\/ns\/production\/sa\/x$/m,
  ],
  [
    "no name that the rule accepts (TLS-32)",
    destinationRule("database", "{mode: ISTIO_MUTUAL, subjectAltNames: [db.example.com]}"),
    "production/database:5432",
    /the callee must prove a name that no certificate of the mesh has$/m,
  ],
];
for (const [what, rule, to, demanded] of unproven) {
  test(`a callee with ${what} is said to have to prove one, and nobody to prove any`, async () => {
    const { code, text } = await run({ file: await besides("insists", LEGACY + rule), to });
    assert.equal(code, 2);
    assert.match(text, demanded);
    assert.match(text, /the caller would prove spiffe:/);
    assert.doesNotMatch(text, /the calle[re] proves/);
  });
}

test("where the callee's port speaks no TLS, nobody proves anything either (TLS-45)", async () => {
  const off =
    "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: plain, namespace: production}\nspec: {mtls: {mode: DISABLE}}\n";
  const rule = destinationRule("api", "{mode: ISTIO_MUTUAL}");
  const { code, text } = await run({ file: await besides("off", rule + off), request: "GET /" });
  assert.equal(code, 2);
  assert.match(text, /the callee would prove spiffe:/);
  assert.doesNotMatch(text, /the calle[re] proves/);
});

const ways: [to: string, via: string][] = [
  ["production/zeta:90", "port 90 of Service production/zeta"],
  ["production/zeta", "port 90 of Service production/zeta"],
  ["production/api:80", "port 80 of Service production/api"],
  ["production/api:http", "port 80 of Service production/api"],
  ["production/api:8080", "port 8080 of Service production/another"],
  ["production/another:8080", "port 8080 of Service production/another"],
];
for (const [to, via] of ways) {
  test(`TLS-41 --to ${to} is called as ${via}`, async () => {
    const file = await besides("alias", ALIAS + destinationRule("zeta", "{mode: DISABLE}"));
    const { code, text } = await run({ file, to, request: "GET /" });
    assert.ok(text.includes(`, as ${via}\n`), text);
    assert.equal(code, to.includes("zeta") ? 2 : 0);
  });
}

test("a service called as its workload is the way there, where both have the port", async () => {
  const service = (name: string): string => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: production}
spec: {selector: {app: frontend}, ports: [{name: http, port: 70}]}
---
`;
  const { text } = await run({
    file: await besides("like", service("a") + service("frontend")),
    from: "production/api",
    to: "production/frontend:70",
    request: "GET /",
  });
  assert.match(text, /container port 70 \(http\), as port 70 of Service production\/frontend$/m);
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

test("headers are repeatable, joined, and echoed, but for what is secret", async () => {
  const asked = {
    request: "GET /a/../b",
    header: ["Host: a", "X-Y: 1", "x-y: 2", "Authorization: Bearer s3cret", "cookie: s3cret"],
  };
  const { text } = await run({ ...asked, json: true });
  const answer = JSON.parse(text) as { request: object; asked: object };
  assert.deepEqual(answer.request, { method: "GET", path: "/b", authority: "a" });
  assert.deepEqual(answer.asked, {
    method: "GET",
    path: "/a/../b",
    headers: { host: "a", "x-y": "1,2", authorization: "(not shown)", cookie: "(not shown)" },
  });
  const told = (await run(asked)).text;
  assert.match(
    told,
    /^ {2}headers {4}host: a\n {13}x-y: 1,2\n {13}authorization: \(not shown\)\n {13}cookie: \(not shown\)$/m,
  );
  assert.doesNotMatch(text + told, /s3cret/);
  assert.doesNotMatch((await run({ request: "GET /" })).text, /headers/);
});

const HOSTS = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-internal-host, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  action: DENY
  rules: [{to: [{operation: {hosts: ["internal.example.com:*", "internal.example.com"]}}]}]
`;
const asksForHost: readonly [
  why: string,
  asked: Partial<ExplainOptions>,
  code: number,
  told: RegExp,
][] = [
  ["none", {}, 0, /taken to be api; see --host$/m],
  ["the host", { host: "internal.example.com" }, 2, /headers +host: internal\.example\.com$/m],
  ["a host with its port", { host: "internal.example.com:80" }, 2, /no-internal-host/],
  ["another host", { host: "shop.example.com" }, 0, /^ALLOWED/],
  ["an IPv6 address", { host: "[::1]:80" }, 0, /^ALLOWED/],
  ["a header Host", { header: ["Host: internal.example.com"] }, 2, /no-internal-host/],
  ["a header :authority", { header: [":authority: internal.example.com"] }, 2, /no-internal-host/],
  [
    "the same host twice",
    { host: "internal.example.com", header: ["host: internal.example.com"] },
    2,
    /no-internal-host/,
  ],
];
for (const [why, asked, code, told] of asksForHost) {
  test(`rules on hosts are asked about what the client sends: ${why}`, async () => {
    const file = await besides("hosts", HOSTS);
    const answer = await run({ file, to: "production/api:80", request: "GET /orders", ...asked });
    assert.equal(answer.code, code, answer.text);
    assert.match(answer.text, told);
  });
}

test("notices of the files follow the verdict, or what kept it from being given", async () => {
  const nobody =
    /mesh\.yaml:\d+: note: spec\.selector app: nobody matches no workload of namespace production, /;
  for (const options of [{ request: "GET /" }, { to: "production/nobody:1", request: "GET /" }]) {
    const { text } = await run(options);
    const [verdict = "", ...notices] = text.split("\n\n").slice(-2);
    assert.doesNotMatch(verdict, /: note: /);
    const lines = notices.join().split("\n");
    assert.equal(lines.filter((line) => nobody.test(line)).length, 1);
    assert.ok(lines.every((line) => line.includes(": note: ") || line.startsWith("and ")));
  }
});

test("--json has the notices as data, with an answer, an error and issues", async () => {
  const notices = async (options: Partial<ExplainOptions>): Promise<readonly string[]> => {
    const { text } = await run({ ...options, json: true });
    const answer = JSON.parse(text) as { notices: { path: string; message: string }[] };
    return answer.notices.map(({ path, message }) => `${path} ${message}`);
  };
  const answered = await notices({ request: "GET /" });
  assert.equal(
    answered.filter((notice) => notice.startsWith("spec.selector app: nobody")).length,
    1,
  );
  assert.deepEqual(await notices({ from: "production/x" }), answered);
  const broken = [folder, join(folder, "broken.txt")];
  assert.deepEqual(await notices({ file: broken }), [], "what is broken is missing, not mistaken");
});

const AUTHENTICATION = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: production}
spec: {jwtRules: [{issuer: "https://login", jwksUri: "https://login/keys"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: writers, namespace: production}
spec:
  rules:
  - when: [{key: "request.auth.claims[scope]", values: [write]}]
`;

test("JWT-65, JWT-68: --claims is a token that the callee's sidecar has verified", async () => {
  const file = await besides("authentication", AUTHENTICATION);
  const claims = join(folder, "claims.txt");
  const ask = async (payload: object): ReturnType<typeof run> => {
    await writeFile(claims, JSON.stringify(payload));
    return run({ file, request: "PUT /", claims, json: true });
  };
  const known = await ask({ iss: "https://login", scope: "read write", secret: "hush" });
  assert.equal(known.code, 0);
  assert.doesNotMatch(known.text, /hush/);
  assert.equal((await ask({ iss: "https://login", scope: "read" })).code, 2);
  const foreign = await ask({ iss: "https://other", scope: "write" });
  assert.equal(foreign.code, 1);
  assert.match(foreign.text, /no RequestAuthentication for production\/api-0 knows the issuer/);
});

test("JWT-33: claims that no sidecar would accept, for want of an audience, are a bad question", async () => {
  const demanding = AUTHENTICATION.replace("jwksUri", "audiences: [orders, shop], jwksUri");
  const file = await besides("audience", demanding);
  const claims = join(folder, "audience-claims.txt");
  const ask = async (payload: object): ReturnType<typeof run> => {
    await writeFile(claims, JSON.stringify({ iss: "https://login", scope: "write", ...payload }));
    return run({ file, request: "PUT /", claims });
  };
  const without = await ask({});
  assert.equal(without.code, 1);
  assert.match(
    without.text,
    /the payload has no aud, .*: RequestAuthentication production\/tokens \(.*audience\.txt:4\) demands "orders" or "shop"$/m,
  );
  assert.match((await ask({ aud: "bank" })).text, /the payload has aud "bank", /);
  assert.equal((await ask({ aud: ["bank", "shop"] })).code, 0);
});

test("answers go to standard output, why there is none to standard error", async () => {
  const answered = await runApart({ request: "GET /" });
  assert.deepEqual(answered.warnings, []);
  const unanswered = await runApart({ to: "production/x:1" });
  assert.deepEqual(unanswered.answers, []);
  assert.match(unanswered.warnings[0] ?? "", /^hauberk: --to production\/x:1: no such workload/);
  const asData = await runApart({ to: "production/x:1", json: true });
  assert.deepEqual(asData.warnings, []);
});

const ELSEWHERE = `apiVersion: v1
kind: Service
metadata: {name: lost, namespace: legacy}
spec: {selector: {app: lost}, ports: [{port: 1}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: mistaken, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  action: DENY
  rules: [{to: [{operation: {ports: ["80"]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: not-in-play, namespace: production}
spec:
  selector: {matchLabels: {app: database}}
  action: DENY
  rules: [{to: [{operation: {ports: ["80"]}}]}]
`;

test("of the notes those on what decides here are told, policies first; the rest is counted", async () => {
  const file = await besides("elsewhere", LEGACY + ELSEWHERE);
  const notesOf = ({ text }: { readonly text: string }): readonly string[] =>
    text.split("\n").filter((line) => /: note: |--all-notes/.test(line));
  const [first, ...others] = notesOf(await run({ file, request: "GET /" }));
  assert.match(first ?? "", /elsewhere\.txt:\d+: note: spec\.rules\[0\].* did you mean 8080\?$/);
  const left = others.pop() ?? "";
  assert.match(left, /^and \d+ more notes?: --all-notes prints all$/);
  assert.doesNotMatch(others.join("\n"), /app: lost|5432/);
  const all = notesOf(await run({ file, request: "GET /", allNotes: true }));
  assert.equal(all.length, 1 + others.length + Number(/\d+/.exec(left)?.[0]));
  assert.match(all.join("\n"), /app: lost/);
});

const trial = (rule: string): string => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: trial, namespace: production, annotations: {istio.io/dry-run: "true"}}
spec: {action: DENY, rules: [${rule}]}
`;
const CUSTOM = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: production}
spec: {action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {ports: ["8080"]}}]}]}
---
extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: api.production.svc.cluster.local, port: 80, timeout: 500ms}}]
`;

test("AP-110: what policies on trial would decide is told where it differs", async () => {
  const file = await besides("trial", trial('{to: [{operation: {paths: ["/secret"]}}]}'));
  const same = (await run({ file, request: "GET /" })).text;
  assert.match(same, /^ {2}on trial {3}the same$/m);
  assert.doesNotMatch(same, /With the policies on trial/);
  const differs = (await run({ file, request: "GET /secret" })).text;
  assert.match(differs, /With the policies on trial in force .*, denied: /);
  assert.doesNotMatch(differs, /the same/);
});

test("AP-120: what is delegated is told once, with how the authorizer is asked, and where its answers are", async () => {
  const file = await besides("custom", trial('{to: [{operation: {paths: ["/x"]}}]}') + CUSTOM);
  const { code, text } = await run({ file, request: "GET /" });
  assert.equal(code, 2);
  assert.match(text, /^DELEGATED/);
  assert.equal(text.match(/opa is asked/g)?.length, 1);
  assert.match(
    text,
    /^ {2}asks {7}opa: asked over gRPC at api\.production\.svc\.cluster\.local:80 \(namespace production\), for at most 500 ms; while it gives no answer, what it guards is refused with 403$/m,
  );
  assert.match(text, /^ {2}note {7}nobody was asked here: /m);
  assert.doesNotMatch((await run({ request: "GET /" })).text, /nobody was asked/);
});

const LIMITS = `apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: busy, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  limits:
  - {name: writes, match: [{to: [{operation: {methods: [POST]}}]}], requests: 1, per: 1s}
  - {name: callers, requests: 100, per: 1m, burst: 5, key: [source.principal], fair: false}
  - {name: lasting, openConnections: 3, mode: Shadow}
`;

test("rate limits that count a request are told, with what they count apart; a refused request spends nothing", async () => {
  const file = await besides("limits", LIMITS);
  const { code, text } = await run({ file, request: "GET /" });
  assert.equal(code, 0);
  assert.match(
    text,
    /^ {2}limits {5}limit callers of RateLimit production\/busy \(.*limits\.txt:8\): 100 requests in 1m of each pod, here for source\.principal cluster\.local\/ns\/production\/sa\/frontend, 5 at once$/m,
  );
  assert.match(
    text,
    /limit lasting .*: 3 connections at once of each pod; on trial: counted and logged/,
  );
  assert.match(text, /^ {2}note {7}what is left of a limit is known to those who count: /m);
  assert.doesNotMatch(text, /limit writes/);
  const refused = await run({ file, request: "POST /" });
  assert.equal(refused.code, 2);
  assert.doesNotMatch(refused.text, /limit writes/);
  const { limits } = JSON.parse((await run({ file, request: "GET /", json: true })).text);
  assert.deepEqual(
    limits.map(({ limit }: { limit: { name: string } }) => limit.name),
    ["callers", "lasting"],
  );
});

test("TLS-4: a caller may be known by its certificate alone", async () => {
  const own = "spiffe://cluster.local/ns/production/sa/frontend";
  const { code, text } = await run({ from: own, request: "GET /" });
  assert.equal(code, 0);
  assert.match(text, new RegExp(`caller +${own}, by its certificate`));
  const foreign = await run({ from: own.replace("cluster.local", "other"), request: "GET /" });
  assert.equal(foreign.code, 2);
  assert.match(foreign.text, /foreign trust domain/);
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
  [{ from: "frontend" }, /expected NAMESPACE\/WORKLOAD, spiffe:\/\/… or outside/],
  [
    { from: "production/x" },
    /no such workload; known: production\/api, production\/database, production\/frontend, outside/,
  ],
  [{ to: "production" }, /expected NAMESPACE\/WORKLOAD:PORT/],
  [{ to: "production/x:1" }, /no such workload or service; known: .*; services: production\/api/],
  [{ from: "production/fronted" }, /no such workload; did you mean production\/frontend\?$/m],
  [{ to: "production/databse:1" }, /workload or service; did you mean production\/database\?$/m],
  [{ to: "production/api:9" }, /no port 9; container ports: 8080; service ports: 80/],
  [{ to: "production/database" }, /say which port is meant; container ports: 5432, 5433/],
  [{ to: "production/nobody:1" }, /no workload stands behind port 1/],
  [{ request: "orders" }, /expected METHOD PATH/],
  [{ request: "GET http://x/" }, /expected METHOD PATH/],
  [{ request: "GET /%00" }, /encoded NUL/],
  [{ request: "OPTIONS *" }, /^.*\*: begins with no slash; a sidecar answers 404/],
  [{ request: "GET /", header: ["nonsense"] }, /expected NAME: VALUE/],
  [{ header: ["a: b"] }, /of no use without --request/],
  [{ host: "a" }, /--host is of no use without --request/],
  [{ request: "GET /", host: "http://a/" }, /--host http:\/\/a\/: expected HOST or HOST:PORT/],
  [{ request: "GET /", host: "a b" }, /expected HOST or HOST:PORT/],
  [{ request: "GET /", host: "a", header: ["Host: b"] }, /a --header says b; expected one/],
  [
    { request: "GET /", claims: "missing.txt" },
    /--claims missing\.txt: there is no file \/.*missing\.txt; --claims takes a file of JSON/,
  ],
  [
    { request: "GET /", claims: "README.md" },
    /--claims README\.md: expected a JSON object, the payload of a token/,
  ],
  [{ from: "spiffe://UPPER/x", request: "GET /" }, /is not a SPIFFE ID/],
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
  assert.match(text, /missing\.yaml: error: cannot be read/);
  const json = await run({ file, request: "GET /", json: true });
  assert.equal(json.code, 1);
  assert.ok((JSON.parse(json.text) as { issues: unknown[] }).issues.length >= 3);
});
