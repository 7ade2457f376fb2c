/** What the resource definitions of the Gateway API demand, and how its kinds are read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../parse-resources.ts";
import type { Resource } from "../resource.ts";

const parsed = (kind: string, spec: string): ReturnType<typeof parseResources> => {
  const namespace = kind === "GatewayClass" ? "" : ", namespace: shop";
  return parseResources(
    `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: {name: edge${namespace}}\nspec: ${spec}\n`,
    "f",
  );
};
const read = (kind: string, spec: string): Resource => {
  const { resources, issues } = parsed(kind, spec);
  assert.deepEqual(issues, []);
  return resources[0] ?? assert.fail("none");
};

test("a Gateway's listeners, with the defaults of the definition", () => {
  const gateway = read(
    "Gateway",
    "{gatewayClassName: istio, listeners: [{name: a, port: 443, protocol: HTTPS, hostname: '*.example.com', tls: {certificateRefs: [{name: c}]}}], infrastructure: {labels: {a: b}}}",
  );
  assert.ok(gateway.kind === "KubernetesGateway");
  assert.deepEqual(gateway.listeners, [
    {
      line: 4,
      name: "a",
      port: 443,
      protocol: "HTTPS",
      hostname: "*.example.com",
      tls: {
        mode: "Terminate",
        certificateRefs: [{ group: "", kind: "Secret", name: "c" }],
        options: {},
      },
      allowedRoutes: {
        from: "Same",
        selector: { matchLabels: {}, matchExpressions: [] },
        kinds: [],
      },
    },
  ]);
  assert.deepEqual(gateway.infrastructure.labels, { a: "b" });
});

test("an HTTPRoute, with the defaults of the definition", () => {
  const route = read(
    "HTTPRoute",
    "{parentRefs: [{name: edge}], hostnames: [a.example.com], rules: [{matches: [{path: {value: /a/}}, {path: {type: RegularExpression, value: '/c.*'}}, {path: {type: Exact, value: /b}, method: GET, headers: [{name: X, value: a}, {name: x, value: b}]}, {queryParams: [{name: q, type: RegularExpression, value: 'a.*'}]}], backendRefs: [{name: api, port: 80}, {name: b, port: 80, weight: 0}]}]}",
  );
  assert.ok(route.kind === "HTTPRoute");
  assert.deepEqual(route.parents, [
    { line: 4, group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" },
  ]);
  const [rule] = route.rules;
  assert.deepEqual(rule?.matches, [
    { path: { kind: "segments", path: "/a" } },
    { path: { kind: "pattern", pattern: "/c.*" } },
    {
      path: { kind: "exact", path: "/b" },
      method: { kind: "exact", text: "GET" },
      headers: [{ name: "x", value: { kind: "exact", text: "a" } }],
    },
    {
      path: { kind: "segments", path: "" },
      queryParams: [{ name: "q", value: { kind: "pattern", pattern: "a.*" } }],
    },
  ]);
  assert.deepEqual(
    rule.backends.map(({ weight }) => weight),
    [1, 0],
  );
});

const HTTP = "name: a, port: 80, protocol: HTTP";
const listener = (more: string): string => `{gatewayClassName: istio, listeners: [{${more}}]}`;
const rule = (more: string): string => `{rules: [{${more}}]}`;
const filter = (more: string): string => rule(`filters: [{${more}}]`);

const refused: [kind: string, spec: string, issue: RegExp][] = [
  ["Gateway", "{listeners: []}", /spec\.gatewayClassName: is missing/],
  ["Gateway", "{gatewayClassName: a}", /spec\.listeners: must have at least one item/],
  ["Gateway", listener("port: 80, protocol: HTTP"), /listeners\[0\]\.name: is missing/],
  ["Gateway", listener("name: a, port: 0, protocol: HTTP"), /\.port: is the number 0/],
  ["Gateway", listener("name: a, port: 80"), /\.protocol: is missing/],
  ["Gateway", listener("name: a, port: 80, protocol: UDP"), /\.protocol: not supported yet: "UDP"/],
  ["Gateway", listener(`${HTTP}, hostname: 10.0.0.1`), /\.hostname: "10\.0\.0\.1" is not a host/],
  ["Gateway", listener(`${HTTP}, hostname: A.b`), /\.hostname: "A\.b" is not a host/],
  [
    "Gateway",
    listener("name: a, port: 80, protocol: TCP, hostname: a.b"),
    /\.hostname: must not be given for protocol TCP/,
  ],
  [
    "Gateway",
    listener(`${HTTP}, tls: {certificateRefs: [{name: c}]}`),
    /\.tls: must not be given for protocol HTTP$/,
  ],
  ["Gateway", listener("name: a, port: 443, protocol: HTTPS"), /\.tls: is missing/],
  [
    "Gateway",
    listener("name: a, port: 443, protocol: HTTPS, tls: {}"),
    /certificateRefs: must have at least one item in mode Terminate/,
  ],
  [
    "Gateway",
    listener("name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}"),
    /tls\.mode: must be Terminate for protocol HTTPS/,
  ],
  ["Gateway", listener(`${HTTP}, tls2: {}`), /tls2: is not a known field$/],
  [
    "Gateway",
    `{gatewayClassName: a, listeners: [{${HTTP}}, {name: a, port: 81, protocol: HTTP}]}`,
    /listeners\[1\]\.name: "a" is given twice/,
  ],
  [
    "Gateway",
    `{gatewayClassName: a, listeners: [{${HTTP}}, {name: b, port: 80, protocol: HTTP}]}`,
    /listeners\[1\]: has the port, protocol and hostname of another/,
  ],
  ["GatewayClass", "{}", /spec\.controllerName: is missing/],
  ["HTTPRoute", "{parentRefs: [{}]}", /parentRefs\[0\]\.name: is missing/],
  ["HTTPRoute", "{hostnames: ['*']}", /hostnames\[0\]: "\*" is not a host/],
  ["HTTPRoute", rule("matches: [{path: {value: a}}]"), /path\.value: "a" must begin with "\/"/],
  [
    "HTTPRoute",
    rule("matches: [{path: {value: /a//b}}]"),
    /path\.value: .*must not contain "\/\/"/,
  ],
  [
    "HTTPRoute",
    rule("matches: [{path: {value: /a/..}}]"),
    /path\.value: .*must not contain "\/\.\."/,
  ],
  [
    "HTTPRoute",
    rule("matches: [{path: {type: RegularExpression, value: '('}}]"),
    /path\.value: cannot be matched here/,
  ],
  ["HTTPRoute", rule("matches: [{method: get}]"), /method: is "get"; expected one of GET/],
  ["HTTPRoute", rule("matches: [{headers: [{name: x}]}]"), /headers\[0\]\.value: is missing/],
  [
    "HTTPRoute",
    rule("backendRefs: [{name: a}]"),
    /backendRefs\[0\]\.port: is missing; a Service needs it/,
  ],
  [
    "HTTPRoute",
    rule("backendRefs: [{name: a, port: 1, weight: 1000001}]"),
    /weight: is the number 1000001/,
  ],
  [
    "HTTPRoute",
    rule("timeouts: {request: 1s, backendRequest: 2s}"),
    /backendRequest: must not be longer than request/,
  ],
  ["HTTPRoute", rule("timeouts: {request: 1.5s}"), /timeouts\.request: "1\.5s" is not a duration/],
  ["HTTPRoute", rule("retry: {attempts: 1}"), /retry: not supported yet: retry/],
  [
    "HTTPRoute",
    filter("type: ExtensionRef, extensionRef: {}"),
    /type: not supported yet: "ExtensionRef"/,
  ],
  ["HTTPRoute", filter("type: URLRewrite"), /filters\[0\]\.urlRewrite: is missing/],
  [
    "HTTPRoute",
    filter("type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: a}]}"),
    /name: must not be changed: it is the authority/,
  ],
  [
    "HTTPRoute",
    rule(
      "filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /a}}}], matches: [{path: {type: Exact, value: /b}}]",
    ),
    /ReplacePrefixMatch needs exactly one match, of type PathPrefix/,
  ],
  [
    "HTTPRoute",
    rule(
      "filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: a, port: 1}]",
    ),
    /backendRefs: must not be given together with a filter RequestRedirect/,
  ],
  [
    "HTTPRoute",
    filter("type: RequestRedirect, requestRedirect: {statusCode: 305}"),
    /statusCode: is 305; expected one of/,
  ],
  ["ReferenceGrant", "{from: [], to: []}", /spec\.from: must have at least one item/],
  [
    "ReferenceGrant",
    "{from: [{kind: Gateway, namespace: a}], to: [{group: '', kind: Secret}]}",
    /from\[0\]\.group: is missing/,
  ],
];
for (const [kind, spec, issue] of refused) {
  test(`${kind} ${spec} is refused, and nothing of it is used`, () => {
    const { resources, issues } = parsed(kind, spec);
    assert.deepEqual(resources, []);
    const told = issues.map(({ path, problem }) => `${path}: ${problem}`);
    assert.ok(
      told.some((one) => issue.test(one)),
      told.join("\n"),
    );
  });
}

test("a word of its own for how TLS ends is no SIMPLE: clients were to show a certificate", () => {
  const listening = (options: string): readonly string[] =>
    parsed(
      "Gateway",
      `{gatewayClassName: istio, listeners: [{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}], options: {${options}}}}]}`,
    ).issues.map(({ problem }) => problem);
  assert.deepEqual(listening("gateway.istio.io/tls-terminate-mode: MUTUAL"), []);
  assert.deepEqual(listening("example.com/mode: mutual"), []);
  assert.deepEqual(listening("gateway.istio.io/tls-terminate-mode: mutual"), [
    'is "mutual"; expected one of SIMPLE, MUTUAL, OPTIONAL_MUTUAL, ISTIO_MUTUAL',
  ]);
});

test("headers of the connection are nobody's to change, and whoever tries is told", () => {
  const { resources, notices } = parsed(
    "HTTPRoute",
    "{rules: [{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: Transfer-Encoding, value: chunked}, {name: a, value: b}], remove: [Upgrade]}}]}]}",
  );
  const [route] = resources;
  assert.ok(route?.kind === "HTTPRoute");
  assert.deepEqual(route.rules[0]?.filters.responseHeaders, {
    set: [{ name: "a", value: "b" }],
    add: [],
    remove: [],
  });
  assert.deepEqual(
    notices.map(({ path }) => path.replace(/^.*responseHeaderModifier\./, "")),
    ["remove[0]", "set[0].name"],
  );
});
