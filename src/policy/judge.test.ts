import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { type Judgement, judge } from "./judge.ts";
import { type AskedRequest, type Question, QuestionError } from "./question.ts";

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
${workload("shop", "stream", 7000).replace("PROTOCOL", "grpc")}
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
  readonly via?: Question["via"];
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
    ...(asked.via && { via: asked.via }),
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

const destinationRule = (tls: string, host = "*"): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: chosen, namespace: shop}
spec: {host: "${host}", trafficPolicy: {tls: ${tls}}}`;
const RULE = { kind: "DestinationRule", namespace: "shop", name: "chosen" };

const WITHOUT_SIDECAR = "without a sidecar";
const CLIENTS = {
  automatic: { from: "shop/caller-0", rule: "" },
  "ISTIO_MUTUAL by a rule": {
    from: "shop/caller-0",
    rule: destinationRule("{mode: ISTIO_MUTUAL}"),
  },
  "DISABLE by a rule": { from: "shop/caller-0", rule: destinationRule("{mode: DISABLE}") },
  "without a sidecar, DISABLE by a rule": {
    from: "legacy/old-0",
    rule: destinationRule("{mode: DISABLE}"),
  },
  "without a sidecar, ISTIO_MUTUAL by a rule": {
    from: "legacy/old-0",
    rule: destinationRule("{mode: ISTIO_MUTUAL}"),
  },
} as const;

/** What each client gets of a STRICT, a PERMISSIVE, a DISABLE server, and of one without a sidecar. */
const truths: [client: keyof typeof CLIENTS, ...outcomes: [string, string, string, string]][] = [
  ["automatic", "mutual-tls", "mutual-tls", "plaintext", "plaintext"],
  ["ISTIO_MUTUAL by a rule", "mutual-tls", "mutual-tls", "tls-refused", "callee-not-verified"],
  ["DISABLE by a rule", "plaintext-refused", "plaintext", "plaintext", "plaintext"],
  [
    "without a sidecar, DISABLE by a rule",
    "plaintext-refused",
    "plaintext",
    "plaintext",
    "plaintext",
  ],
  [
    "without a sidecar, ISTIO_MUTUAL by a rule",
    "plaintext-refused",
    "plaintext",
    "plaintext",
    "plaintext",
  ],
];
for (const [client, ...outcomes] of truths) {
  for (const [index, server] of ["STRICT", "PERMISSIVE", "DISABLE", WITHOUT_SIDECAR].entries()) {
    test(`TLS-45 a client ${client}, a server ${server}: ${outcomes[index]}`, () => {
      const { from, rule } = CLIENTS[client];
      const { decision, transport, clientTls } =
        server === WITHOUT_SIDECAR
          ? ask(rule, { from, to: "legacy/old-0", port: 9000 })
          : ask(peerAuthentication(server) + rule, { from });
      const { verdict, reason } = decision;
      assert.equal(verdict === "allow" ? transport.kind : reason.because, outcomes[index]);
      const ruled = client.endsWith("by a rule") && from === "shop/caller-0";
      assert.deepEqual(clientTls?.origin.ref, ruled ? RULE : undefined);
      if (verdict === "deny") {
        assert.ok("origin" in reason && reason.origin !== "default");
        const chooser = "chosenBy" in reason ? reason.chosenBy : reason.origin;
        const policyOf = server === WITHOUT_SIDECAR ? RULE.kind : "PeerAuthentication";
        assert.equal(reason.origin.ref.kind, policyOf);
        if (ruled) assert.deepEqual(chooser?.ref, RULE);
        else assert.ok(!("chosenBy" in reason));
      }
    });
  }
}

for (const [server, outcome] of [
  ["STRICT", "peer-not-verified"],
  ["PERMISSIVE", "peer-not-verified"],
  [WITHOUT_SIDECAR, "no-sidecar"],
] as const) {
  test(`TLS-45 a client with TLS of mode SIMPLE by a rule, a server ${server}: ${outcome}`, () => {
    const rule = destinationRule("{mode: SIMPLE, caCertificates: /a}");
    const { decision } =
      server === WITHOUT_SIDECAR
        ? ask(rule, { from: "shop/caller-0", to: "legacy/old-0", port: 9000 })
        : ask(peerAuthentication(server) + rule, { from: "shop/caller-0" });
    assert.equal(decision.reason.because, outcome);
  });
}

const demanded: [names: string, because: string][] = [
  ["spiffe://cluster.local/ns/shop/sa/api", "no-allow-policy"],
  ["spiffe://cluster.local/ns/shop/sa/other", "callee-not-verified"],
  ["api.example.com", "callee-not-verified"],
];
for (const [name, because] of demanded) {
  test(`TLS-32 a rule that accepts ${name} alone: ${because}`, () => {
    const rule = destinationRule(`{mode: ISTIO_MUTUAL, subjectAltNames: ["${name}"]}`);
    const { decision, transport } = ask(rule);
    assert.equal(decision.reason.because, because);
    assert.equal(transport.kind, "mutual-tls");
    if (decision.reason.because === "callee-not-verified") {
      assert.match(
        decision.reason.problem,
        /^"spiffe:\/\/cluster\.local\/ns\/shop\/sa\/api" is not /,
      );
    }
  });
}

test("TLS-26 a pod that says it speaks mutual TLS, and has no sidecar to, is not reached", () => {
  const pretender = workload("legacy", "pretender", 9001, ", security.istio.io/tlsMode: istio");
  const { decision } = ask(pretender.replace("PROTOCOL", "http"), {
    to: "legacy/pretender-0",
    port: 9001,
  });
  assert.ok(decision.reason.because === "callee-not-verified");
  assert.equal(decision.reason.origin, "default");
});

test("AP-94, TLS-32 the server name that a rule sets is the one that policies see", () => {
  const rules = authorization("{when: [{key: connection.sni, values: [api.example.com]}]}");
  const rule = destinationRule("{mode: ISTIO_MUTUAL, sni: api.example.com}");
  assert.equal(ask(rules + rule).decision.verdict, "allow");
  assert.equal(ask(rules).decision.verdict, "deny");
});

test("TLS-41 of two services for one port the rule of the one that is asked for counts", () => {
  const second = `
---
apiVersion: v1
kind: Service
metadata: {name: zeta, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 90, targetPort: 8080}]}`;
  const rules = peerAuthentication("STRICT") + second + destinationRule("{mode: DISABLE}", "zeta");
  const zeta = { serviceNamespace: "shop", serviceName: "zeta", servicePort: 90 };
  const api = { serviceNamespace: "shop", serviceName: "api", servicePort: 80 };
  assert.deepEqual(ask(rules).via, api);
  assert.equal(ask(rules).decision.verdict, "allow");
  const asked = ask(rules, { via: zeta });
  assert.deepEqual(asked.via, zeta);
  assert.equal(asked.decision.reason.because, "plaintext-refused");
  assert.equal(ask(rules, { via: api }).decision.verdict, "allow");
  const elsewhere = { ...zeta, servicePort: 1 };
  assert.equal(ask(rules, { via: elsewhere }).decision.reason.because, "plaintext-refused");
});

test("AP-52 a port other than 80 is part of the host that callers write", () => {
  const second = `
---
apiVersion: v1
kind: Service
metadata: {name: zeta, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 90, targetPort: 8080}]}`;
  const zeta = { serviceNamespace: "shop", serviceName: "zeta", servicePort: 90 };
  const verdictFor = (host: string, via?: Question["via"]): string =>
    ask(second + authorization(`{to: [{operation: {hosts: ["${host}"]}}]}`), via && { via })
      .decision.verdict;
  assert.equal(verdictFor("zeta:90", zeta), "allow");
  assert.equal(verdictFor("zeta", zeta), "deny");
  assert.equal(verdictFor("api"), "allow");
});

test("whether the callee is ready does not change what is permitted", () => {
  const yaml = MESH + peerAuthentication("STRICT");
  const judged = [[], ["shop/api-0"]].map((notReady) => {
    const snapshot = snapshotOf(yaml, { notReady });
    return judge(snapshot, {
      from: workloadNamed(snapshot, "shop/caller-0"),
      to: workloadNamed(snapshot, "shop/api-0"),
      containerPort: 8080,
      request: { method: "GET", path: "/", headers: new Map() },
    });
  });
  assert.equal(judged[0]?.transport.kind, "mutual-tls");
  assert.deepEqual(judged[1], judged[0]);
});

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

const networkPolicy = (spec: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: limits, namespace: shop}
spec: ${spec}`;
const API_ALONE = "{podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]";
const FROM_CALLER = `${API_ALONE}, ingress: [{from: [{podSelector: {matchLabels: {app: caller}}}], ports: [{port: 8080}]}]}`;
const CALLER_OUT = "{podSelector: {matchLabels: {app: caller}}, policyTypes: [Egress]";

const networks: [what: string, spec: string, asked: Asked, because: string][] = [
  ["nobody admitted", `${API_ALONE}}`, {}, "network-policy"],
  ["the caller admitted", FROM_CALLER, {}, "no-allow-policy"],
  ["another caller admitted", FROM_CALLER, { from: "legacy/old-0" }, "network-policy"],
  ["a caller outside", FROM_CALLER, { from: "outside" }, "network-policy"],
  ["everybody admitted", `${API_ALONE}, ingress: [{}]}`, { from: "outside" }, "plaintext-refused"],
  [
    "the service's port, which does not count",
    `${API_ALONE}, ingress: [{ports: [{port: 80}]}]}`,
    {},
    "network-policy",
  ],
  ["the caller kept in", `${CALLER_OUT}}`, {}, "network-policy"],
  [
    "a callee without a sidecar, which a kernel guards all the same",
    `${CALLER_OUT}}`,
    { to: "legacy/old-0", port: 9000 },
    "network-policy",
  ],
];
for (const [what, spec, asked, because] of networks) {
  test(`a NetworkPolicy is asked before all else: ${what}: ${because}`, () => {
    const { decision } = ask(peerAuthentication("STRICT") + networkPolicy(spec), asked);
    assert.equal(decision.reason.because, because);
    assert.equal(decision.verdict, because === "no-allow-policy" ? "allow" : "deny");
    if (decision.reason.because === "network-policy") {
      const { direction, policies } = decision.reason;
      assert.equal(direction, spec.startsWith(CALLER_OUT) ? "egress" : "ingress");
      assert.deepEqual(policies, [{ kind: "NetworkPolicy", namespace: "shop", name: "limits" }]);
    }
  });
}

test("a NetworkPolicy that asks for addresses makes the assumed one known", () => {
  const block = `${API_ALONE}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8}}]}]}`;
  const judgement = ask(networkPolicy(block), { from: "outside" });
  assert.equal(judgement.decision.verdict, "allow");
  assert.equal(judgement.assumed.sourceAddress, "127.0.0.1");
  assert.equal(ask(networkPolicy(FROM_CALLER)).assumed.sourceAddress, undefined);
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
  ["shop/stream-0", 7000, undefined, "http2", "http"],
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

test("AP-60 a port declared HTTP/2 is asked what any HTTP port is", () => {
  const allow = authorization("{to: [{operation: {methods: [GET]}}]}");
  const deny = authorization('{to: [{operation: {paths: ["/admin"]}}]}', "DENY");
  const stream = { to: "shop/stream-0", port: 7000 };
  assert.equal(ask(allow, stream).decision.verdict, "allow");
  assert.equal(ask(deny, stream).decision.verdict, "allow");
  assert.equal(ask(deny, { ...stream, path: "/admin" }).decision.verdict, "deny");
  assert.throws(() => ask("", { ...stream, request: "none" }), QuestionError);
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
  const forwarded = (list: string) => ask(remote, { headers: { "x-forwarded-for": list } });
  assert.equal(forwarded("9.9.9.9, ::FFFF:1.2.3.4").decision.verdict, "allow", "AP-50a");
  assert.equal(forwarded("1.2.3.4, unknown").decision.verdict, "allow");
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
  ["an encoded NUL", { path: "/a%00" }, /encoded NUL.*400/],
  ["no path (AP-109)", { path: "*" }, /no slash.*404/],
];
for (const [what, asked, problem] of faulty) {
  test(`a question with ${what} is refused`, () => {
    assert.throws(
      () => ask("", asked),
      (error) => error instanceof QuestionError && problem.test(error.message),
    );
  });
}

const dialled = `${MESH}
---
apiVersion: v1
kind: Service
metadata: {name: direct, namespace: shop}
spec: {clusterIP: None, selector: {app: database}, ports: [{name: tcp, port: 5432}]}`;

function askOwn(extra: string, asked: Partial<Omit<Question, "from" | "to">> & Asked): Judgement {
  const { from = "shop/caller-0", to = "shop/api-0", port = 8080, dials, speaks } = asked;
  const snapshot = snapshotOf(dialled + extra, { addressing: "own" });
  return judge(snapshot, {
    from: workloadNamed(snapshot, from),
    to: workloadNamed(snapshot, to),
    containerPort: port,
    request: { method: "GET", path: "/", headers: new Map() },
    ...(dials && { dials }),
    ...(speaks && { speaks }),
  });
}

const portMode = (port: number, mode: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: api, namespace: shop}
spec: {selector: {matchLabels: {app: api}}, mtls: {mode: STRICT}, portLevelMtls: {${port}: {mode: ${mode}}}}`;

test("PA-17, PA-18 a port that nobody declared has the workload's mode, or its own", () => {
  const because = (mesh: string): string => askOwn(mesh, { port: 9999 }).decision.reason.because;
  assert.equal(because(portMode(1, "DISABLE")), "plaintext-refused");
  assert.equal(because(portMode(9999, "PERMISSIVE")), "no-allow-policy");
});

test("QK-78 policies are asked there, of what arrives", () => {
  const rule = authorization('{to: [{operation: {ports: ["9999"]}}]}');
  assert.equal(askOwn(rule, { port: 9999 }).decision.verdict, "allow");
  assert.equal(askOwn(rule, { port: 9998 }).decision.verdict, "deny");
});

const arrivals: [mode: string, because: string][] = [
  ["STRICT", "no-allow-policy"],
  ["PERMISSIVE", "no-allow-policy"],
  ["DISABLE", "tls-refused"],
];
for (const [mode, because] of arrivals) {
  test(`PA-36 mutual TLS that is certain, on an undeclared port that is ${mode}`, () => {
    const judged = askOwn(portMode(9999, mode), { port: 9999, speaks: "mutual-tls" });
    assert.equal(judged.transport.kind, "mutual-tls");
    assert.equal(judged.decision.reason.because, because);
  });
}

test("TLS-24 a pod's address is known by a headless service alone", () => {
  const pod = { dials: "pod-address" } as const;
  assert.equal(askOwn("", {}).transport.kind, "mutual-tls");
  assert.equal(askOwn("", pod).transport.kind, "plaintext");
  assert.equal(askOwn("", pod).via, undefined);
  const headless = askOwn("", { ...pod, to: "shop/database-0", port: 5432 });
  assert.equal(headless.transport.kind, "mutual-tls");
  assert.equal(headless.via?.serviceName, "direct");
});

const identities: [identity: string, mode: string, because: string][] = [
  ["spiffe://cluster.local/ns/x/sa/y", "STRICT", "no-allow-policy"],
  ["spiffe://old/ns/x/sa/y", "STRICT", "no-allow-policy"],
  ["spiffe://foreign/ns/x/sa/y", "STRICT", "peer-not-verified"],
  ["spiffe://foreign/ns/x/sa/y", "DISABLE", "tls-refused"],
];
for (const [identity, mode, because] of identities) {
  test(`TLS-4 ${identity} by its certificate, to a callee that is ${mode}: ${because}`, () => {
    const settings = "\n---\ntrustDomainAliases: [old]\n";
    const snapshot = snapshotOf(MESH + peerAuthentication(mode) + settings);
    const { decision } = judge(snapshot, {
      from: { identity: parseSpiffeId(identity) },
      to: workloadNamed(snapshot, "shop/api-0"),
      containerPort: 8080,
      request: { method: "GET", path: "/", headers: new Map() },
    });
    assert.equal(decision.reason.because, because);
  });
}

test("AP-45 what a caller proves by its certificate alone is asked about", () => {
  const rule = authorization('{from: [{source: {principals: ["cluster.local/ns/x/sa/y"]}}]}');
  const snapshot = snapshotOf(MESH + rule);
  const verdict = (identity: string): string =>
    judge(snapshot, {
      from: { identity: parseSpiffeId(identity) },
      to: workloadNamed(snapshot, "shop/api-0"),
      containerPort: 8080,
      request: { method: "GET", path: "/", headers: new Map() },
    }).decision.verdict;
  assert.equal(verdict("spiffe://cluster.local/ns/x/sa/y"), "allow");
  assert.equal(verdict("spiffe://cluster.local/ns/x/sa/z"), "deny");
});

test("AP-107 a fragment is cut off before anything is judged", () => {
  assert.equal(ask("", { path: "/a#b" }).request?.path, "/a");
});

const asks = (provider: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec: {action: CUSTOM, provider: {name: ${provider}}, rules: [{to: [{operation: {paths: ["/a"]}}]}]}
---
extensionProviders:
- {name: opa, envoyExtAuthzGrpc: {service: api.shop.svc.cluster.local, port: 80}}
- {name: away, envoyExtAuthzGrpc: {service: away.shop.svc.cluster.local, port: 80}}
- {name: log, envoyFileAccessLog: {path: /dev/stdout}}
`;

const authorizers: [provider: string, path: string, verdict: string, because: string][] = [
  ["opa", "/a", "delegate", "matched-custom"],
  ["opa-2", "/a", "deny", "no-authorizer"],
  ["opa-2", "/b", "allow", "no-allow-policy"],
  ["log", "/a", "deny", "no-authorizer"],
  ["away", "/a", "deny", "no-authorizer"],
];
for (const [provider, path, verdict, because] of authorizers) {
  test(`AP-120 the authorizer ${provider} for ${path}: ${because}`, () => {
    const { decision } = ask(asks(provider), { path });
    assert.equal(decision.verdict, verdict);
    assert.equal(decision.reason.because, because);
  });
}

const BYTES_PORT = `
---
apiVersion: v1
kind: Service
metadata: {name: bytes, namespace: shop}
spec: {selector: {app: api}, ports: [{name: tcp-bytes, port: 9999}]}`;
const insisting = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bytes, namespace: shop}
spec: {host: bytes.shop.svc.cluster.local, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}`;
const certain = { port: 9999, speaks: "mutual-tls" } as const;
const carried: [
  what: string,
  mesh: string,
  asked: typeof certain | { port: 9999 },
  because: string,
][] = [
  ["TLS is carried to the application", "", certain, "no-allow-policy"],
  [
    "and proves nothing to policies",
    authorization('{from: [{source: {principals: ["*"]}}]}'),
    certain,
    "no-allow-matched",
  ],
  ["whose sidecar the caller's cannot verify", insisting, { port: 9999 }, "callee-not-verified"],
];
for (const [what, mesh, asked, because] of carried) {
  test(`PA-36 a port declared tcp in mode DISABLE: ${what}`, () => {
    const { decision } = askOwn(BYTES_PORT + portMode(9999, "DISABLE") + mesh, asked);
    assert.equal(decision.reason.because, because);
  });
}
