import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExtensionProvider } from "./extension-provider.ts";
import { parseResources } from "./parse-resources.ts";

const parse = (providers: string) =>
  parseResources(`trustDomain: td\nextensionProviders: [${providers}]`, "mesh.yaml");
const issues = (providers: string): string[] =>
  parse(providers).issues.map(({ path, problem }) => `${path}: ${problem}`);

function providers(text: string): readonly ExtensionProvider[] {
  const { resources, issues: found } = parse(text);
  assert.deepEqual(found, []);
  const [config] = resources;
  assert.ok(config?.kind === "MeshConfig");
  return config.settings.extensionProviders;
}

const builtIn = ["prometheus", "stackdriver", "envoy"];
test("EA-1, OBS-3: providers that Istio has by default are there, and can be replaced", () => {
  const names = (text: string): string[] => providers(text).map(({ name }) => name);
  assert.deepEqual(names(""), builtIn);
  assert.deepEqual(names("{name: a, prometheus: {}}"), [...builtIn, "a"]);
  const replaced = providers("{name: envoy, envoyOtelAls: {service: a.b, port: 1}}");
  assert.deepEqual(replaced.at(-1), { name: "envoy", kind: "envoyOtelAls", line: 2 });
  assert.equal(replaced.length, 3);
});

const least = {
  name: "opa",
  line: 2,
  service: "opa.shop.svc.cluster.local",
  port: 9191,
  timeoutMs: 600_000,
  failOpen: false,
  statusOnError: 403,
  clearRouteCache: false,
};
const SERVER = "service: opa.shop.svc.cluster.local, port: 9191";
const http = {
  kind: "envoyExtAuthzHttp",
  pathPrefix: "",
  requestHeaders: [],
  additionalHeaders: {},
  headersToUpstreamOnAllow: [],
  headersToDownstreamOnDeny: [],
  headersToDownstreamOnAllow: [],
};
const read: [rule: string, text: string, expected: object][] = [
  [
    "EA-3..EA-6 defaults, gRPC",
    `envoyExtAuthzGrpc: {${SERVER}}`,
    { ...least, kind: "envoyExtAuthzGrpc" },
  ],
  ["EA-3..EA-15 defaults, HTTP", `envoyExtAuthzHttp: {${SERVER}}`, { ...least, ...http }],
  [
    "EA-3..EA-9",
    `envoyExtAuthzGrpc: {${SERVER}, timeout: 500ms, failOpen: true, statusOnError: "503", clearRouteCache: true, includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true, packAsBytes: true}}`,
    {
      ...least,
      kind: "envoyExtAuthzGrpc",
      timeoutMs: 500,
      failOpen: true,
      statusOnError: 503,
      clearRouteCache: true,
      requestBody: { maxBytes: 10, allowPartial: true, packAsBytes: true },
    },
  ],
  [
    "EA-10..EA-15",
    `envoyExtAuthzHttp: {${SERVER}, pathPrefix: /check, includeRequestHeadersInCheck: [x-a*], includeHeadersInCheck: [x-old], includeAdditionalHeadersInCheck: {x-b: c}, headersToUpstreamOnAllow: [x-d], headersToDownstreamOnDeny: [x-e], headersToDownstreamOnAllow: [x-f]}`,
    {
      ...least,
      ...http,
      pathPrefix: "/check",
      requestHeaders: ["x-a*"],
      additionalHeaders: { "x-b": "c" },
      headersToUpstreamOnAllow: ["x-d"],
      headersToDownstreamOnDeny: ["x-e"],
      headersToDownstreamOnAllow: ["x-f"],
    },
  ],
  [
    "EA-11 the older field counts when the newer is empty",
    `envoyExtAuthzHttp: {${SERVER}, includeRequestHeadersInCheck: [], includeHeadersInCheck: [x-old]}`,
    { ...least, ...http, requestHeaders: ["x-old"] },
  ],
  [
    "EA-1 a namespace before the host",
    "envoyExtAuthzGrpc: {service: shop/opa.example.com, port: 9191}",
    { ...least, kind: "envoyExtAuthzGrpc", service: "shop/opa.example.com" },
  ],
];
for (const [rule, text, expected] of read) {
  test(`${rule}: ${text}`, () => {
    assert.deepEqual(providers(`{name: opa, ${text}}`).at(-1), expected);
  });
}

const refused: [rule: string, text: string, issue: RegExp][] = [
  ["VAL-70 no name", "{prometheus: {}}", /^extensionProviders\[0\]\.name: is missing/],
  [
    "VAL-70 twice",
    "{name: a, prometheus: {}}, {name: a, stackdriver: {}}",
    /^extensionProviders\[1\]\.name: "a" is the name of two/,
  ],
  ["VAL-70 no kind", "{name: a}", /^extensionProviders\[0\]: says nothing of what it is/],
  [
    "VAL-70 two kinds",
    "{name: a, prometheus: {}, stackdriver: {}}",
    /must not be given together with/,
  ],
  [
    "VAL-70 unknown kind",
    "{name: a, promotheus: {}}",
    /promotheus: is not a known field; did you mean prometheus\?/,
  ],
  ["VAL-71 no service", "{name: a, zipkin: {port: 1}}", /zipkin\.service: is missing$/],
  [
    "VAL-71 service",
    "{name: a, zipkin: {service: a_b, port: 1}}",
    /zipkin\.service: "a_b" is not the name of a host$/,
  ],
  [
    "VAL-71 namespace",
    "{name: a, zipkin: {service: /a.b, port: 1}}",
    /zipkin\.service: .* empty namespace/,
  ],
  ["VAL-71 no port", "{name: a, datadog: {service: a.b}}", /datadog\.port: is missing$/],
  [
    "VAL-71 port",
    "{name: a, skywalking: {service: a.b, port: 65536}}",
    /skywalking\.port: is 65536; expected a number from 1/,
  ],
  [
    "EA-2 type",
    `{name: a, envoyExtAuthzGrpc: {service: a.b, port: "80"}}`,
    /port: is "80"; expected a whole number/,
  ],
  [
    "VAL-72 status",
    `{name: a, envoyExtAuthzGrpc: {${SERVER}, statusOnError: "999"}}`,
    /statusOnError: "999" is not an HTTP status/,
  ],
  [
    "VAL-72 no number",
    `{name: a, envoyExtAuthzHttp: {${SERVER}, statusOnError: forbidden}}`,
    /statusOnError: "forbidden" is not/,
  ],
  [
    "VAL-72 path",
    `{name: a, envoyExtAuthzHttp: {${SERVER}, pathPrefix: check}}`,
    /pathPrefix: "check" does not begin with "\/"$/,
  ],
  [
    "VAL-72 broken escape",
    `{name: a, envoyExtAuthzHttp: {${SERVER}, pathPrefix: "/%zz"}}`,
    /pathPrefix: "\/%zz" is not a path/,
  ],
  [
    "VAL-72, EA-11 star",
    `{name: a, envoyExtAuthzHttp: {${SERVER}, headersToUpstreamOnAllow: [x-a, "*"]}}`,
    /headersToUpstreamOnAllow\[1\]: "\*" alone is not supported/,
  ],
  [
    "VAL-73",
    `{name: a, envoyExtAuthzGrpc: {${SERVER}, includeRequestBodyInCheck: {allowPartialMessage: true}}}`,
    /maxRequestBytes: is missing/,
  ],
  [
    "VAL-74",
    "{name: a, opentelemetry: {service: a.b, port: 1, http: {path: /a}, grpc: {}}}",
    /opentelemetry\.http: must not be given together with grpc$/,
  ],
  [
    "VAL-74 token",
    "{name: a, lightstep: {service: a.b, port: 1}}",
    /lightstep\.accessToken: is missing$/,
  ],
  [
    "AP-124",
    `{name: Opa, envoyExtAuthzGrpc: {${SERVER}}}`,
    /name: "Opa" cannot be named by policies/,
  ],
  [
    "AP-124 dash",
    `{name: opa-, envoyExtAuthzGrpc: {${SERVER}}}`,
    /name: "opa-" cannot be named by policies/,
  ],
  [
    "EA-3 timeout",
    `{name: a, envoyExtAuthzGrpc: {${SERVER}, timeout: 5}}`,
    /timeout: is the number 5; expected text/,
  ],
  [
    "EA-3 timeout",
    `{name: a, envoyExtAuthzGrpc: {${SERVER}, timeout: 0s}}`,
    /timeout: is 0s; must be at least 1ms/,
  ],
];
for (const [rule, text, issue] of refused) {
  test(`${rule}: ${text} is refused`, () => {
    assert.match(issues(text).join("\n"), issue);
    assert.deepEqual(parse(text).resources, []);
  });
}

test("VAL-70: a kind that Istio does not support either is told of", () => {
  const { notices, issues: found } = parse("{name: a, sds: {name: b}}");
  assert.deepEqual(found, []);
  assert.match(notices[0]?.message ?? "", /is a kind that Istio itself does not support/);
});
