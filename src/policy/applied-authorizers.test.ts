/** From a mesh configuration to whom a sidecar asks, and over the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import { buildWorkloadView } from "./build-workload-view.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: opa, namespace: authz}
spec: {selector: {app: opa}, ports: [{name: grpc, port: 9191}]}
`;

const policy = (provider: string, name = provider, more = ""): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-${name}, namespace: shop${more}}
spec: {action: CUSTOM, provider: {name: ${provider}}, rules: [{to: [{operation: {paths: ["/api/*"]}}]}]}
`;

const providers = (text: string): string => `
---
extensionProviders:
${text}
`;

function authorizers(yaml: string): readonly AppliedAuthorizer[] | undefined {
  const snapshot = snapshotOf(MESH + yaml);
  return buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0")).inbound.authorizers;
}

const OPA = "opa.authz.svc.cluster.local";

test("EA-1..EA-5, EA-31: the article's provider, and what it leaves open", () => {
  const yaml = providers(`
- name: opa
  envoyExtAuthzGrpc: {service: ${OPA}, port: 9191, timeout: 500ms, failOpen: false}`);
  assert.deepEqual(authorizers(yaml + policy("opa")), [
    {
      name: "opa",
      kind: "grpc",
      host: OPA,
      port: 9191,
      namespace: "authz",
      timeoutMs: 500,
      failOpen: false,
      statusOnError: 403,
      clearRouteCache: false,
    },
  ]);
});

test("EA-3, EA-7, EA-10..EA-15: one over HTTP, with everything", () => {
  const yaml = providers(`
- name: check
  envoyExtAuthzHttp:
    service: authz/${OPA}
    port: 9191
    failOpen: true
    statusOnError: "503"
    pathPrefix: /check
    includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true}
    includeHeadersInCheck: [x-a]
    includeAdditionalHeadersInCheck: {x-b: b}
    headersToUpstreamOnAllow: [x-c]
    headersToDownstreamOnDeny: [x-d]
    headersToDownstreamOnAllow: [x-e]`);
  assert.deepEqual(authorizers(yaml + policy("check")), [
    {
      name: "check",
      kind: "http",
      host: OPA,
      port: 9191,
      namespace: "authz",
      timeoutMs: 600_000,
      failOpen: true,
      statusOnError: 503,
      clearRouteCache: false,
      requestBody: { maxBytes: 10, allowPartial: true, packAsBytes: false },
      pathPrefix: "/check",
      requestHeaders: ["x-a"],
      additionalHeaders: { "x-b": "b" },
      headersToUpstreamOnAllow: ["x-c"],
      headersToDownstreamOnDeny: ["x-d"],
      headersToDownstreamOnAllow: ["x-e"],
    },
  ]);
});

const unusable: [what: string, provider: string, problem: RegExp][] = [
  ["is not defined", "", /does not define it$/],
  ["authorizes nothing", "- {name: opa, zipkin: {service: z, port: 1}}", /of kind zipkin/],
  [
    "is no service of the mesh",
    "- {name: opa, envoyExtAuthzGrpc: {service: gone.authz.svc.cluster.local, port: 1}}",
    /^its service gone\.authz\.svc\.cluster\.local is none of the mesh$/,
  ],
  [
    "is named by half a name",
    "- {name: opa, envoyExtAuthzGrpc: {service: opa.authz, port: 9191}}",
    /is none of the mesh$/,
  ],
  [
    "is in another namespace",
    `- {name: opa, envoyExtAuthzGrpc: {service: shop/${OPA}, port: 9191}}`,
    /is none of the mesh$/,
  ],
  [
    "has no such port",
    `- {name: opa, envoyExtAuthzGrpc: {service: ${OPA}, port: 1}}`,
    /has no port 1 \(it has/,
  ],
];
for (const [what, provider, problem] of unusable) {
  test(`AP-120, EA-30: one that ${what} cannot be asked`, () => {
    const yaml = provider === "" ? "" : providers(provider);
    const [found, ...more] = authorizers(yaml + policy("opa")) ?? [];
    assert.deepEqual(more, []);
    assert.ok(found?.kind === "unusable");
    assert.match(found.problem, problem);
  });
}

const GRPC = "{name: grpc, number: 9191, protocol: GRPC}";
const entry = (namespace: string, host: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: authorizer, namespace: ${namespace}}
spec: {hosts: [${host}], resolution: STATIC, ports: [${GRPC}], endpoints: [{address: 192.0.2.66}]}
`;

/** Whoever writes ServiceEntries does not choose who authorizes. */
const claimed: [what: string, service: string, entries: string, expected: string | RegExp][] = [
  [
    "the workload's own namespace calls another by the name of the service",
    OPA,
    entry("shop", OPA),
    /^its service opa\.authz\S+ is that of namespace authz, and a ServiceEntry of namespace shop has its name here$/,
  ],
  ["another namespace does", OPA, entry("evil", OPA), "authz"],
  ["it says which", `authz/${OPA}`, entry("shop", OPA), /is none of the mesh$/],
  ["a host of one namespace", "authz.example", entry("authz", "authz.example"), "authz"],
  [
    "a host of several",
    "authz.example",
    entry("authz", "authz.example") + entry("evil", "authz.example"),
    /is in several namespaces \(authz, evil\)/,
  ],
  [
    "a host of the root namespace, and of others",
    "authz.example",
    entry("istio-system", "authz.example") + entry("aaa", "authz.example"),
    "istio-system",
  ],
  [
    "a host of the root namespace, and of the workload's own",
    "authz.example",
    entry("istio-system", "authz.example") + entry("shop", "authz.example"),
    /is that of namespace istio-system, and a ServiceEntry of namespace shop has its name here$/,
  ],
  [
    "a name like a service's that only another namespace has",
    "gone.authz.svc.cluster.local",
    entry("evil", "gone.authz.svc.cluster.local"),
    /is that of namespace authz, and a ServiceEntry of namespace evil/,
  ],
];
for (const [what, service, entries, expected] of claimed) {
  test(`EA-1, EA-30: ${what}`, () => {
    const yaml = providers(`- {name: opa, envoyExtAuthzGrpc: {service: ${service}, port: 9191}}`);
    const [found] = authorizers(entries + yaml + policy("opa")) ?? [];
    assert.ok(found);
    if (typeof expected === "string") {
      assert.ok(found.kind === "grpc");
      assert.equal(found.namespace, expected);
    } else {
      assert.ok(found.kind === "unusable");
      assert.match(found.problem, expected);
    }
  });
}

test("AP-122: those that the workload's policies name, in the order of their names, each once", () => {
  const two = `
- {name: b, envoyExtAuthzGrpc: {service: ${OPA}, port: 9191}}
- {name: a, envoyExtAuthzGrpc: {service: ${OPA}, port: 9191}}
- {name: c, envoyExtAuthzGrpc: {service: ${OPA}, port: 9191}}`;
  const named = policy("b") + policy("a") + policy("b", "again");
  const found = authorizers(providers(two) + named);
  assert.deepEqual(
    found?.map(({ name }) => name),
    ["a", "b"],
  );
});

test("AP-113: also those that only a policy on trial names; nobody where there is none", () => {
  const trial = ', annotations: {hauberk.dev/dry-run: "true"}';
  assert.equal(authorizers(policy("opa", "opa", trial))?.length, 1);
  assert.equal(authorizers(""), undefined);
});

test("timers count no further than 24 days", () => {
  const yaml = providers(
    `- {name: opa, envoyExtAuthzGrpc: {service: ${OPA}, port: 9191, timeout: 9000h}}`,
  );
  const [found] = authorizers(yaml + policy("opa")) ?? [];
  assert.ok(found?.kind === "grpc");
  assert.equal(found.timeoutMs, 2 ** 31 - 1);
});
