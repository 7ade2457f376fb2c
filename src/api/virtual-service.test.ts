import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import { DEFAULT_RETRIES } from "./routing/read-route-parts.ts";
import type { HttpRule, VirtualService } from "./virtual-service.ts";

const parsed = (spec: string): ReturnType<typeof parseResources> => {
  const head =
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: web, namespace: shop}\n";
  return parseResources(`${head}spec: ${spec}\n`, "f");
};

const service = (spec: string): VirtualService => {
  const { resources, issues } = parsed(spec);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "VirtualService");
  return resource;
};

const rule = (route: string, gateways = ""): HttpRule =>
  service(`{hosts: [a.example.com], ${gateways}http: [{${route}}]}`).http[0] ?? assert.fail("none");
const TO = "route: [{destination: {host: api}}]";

test("without gateways it is for sidecars, and without exportTo for all", () => {
  const { hosts, gateways, exportTo } = service(`{hosts: [Api], http: [{${TO}}]}`);
  assert.deepEqual(
    { hosts, gateways, exportTo },
    { hosts: ["Api"], gateways: ["mesh"], exportTo: ["*"] },
  );
});

const matches: [written: string, read: object][] = [
  ["{uri: {exact: /a}}", { path: { kind: "exact", path: "/a" } }],
  [
    "{uri: {prefix: /A}, ignoreUriCase: true}",
    { path: { kind: "prefix", path: "/A", letterCase: "ignored" } },
  ],
  ["{uri: {regex: '/a.*'}}", { path: { kind: "pattern", pattern: "/a.*" } }],
  [
    "{method: {exact: GET}, scheme: {exact: https}}",
    { method: { kind: "exact", text: "GET" }, scheme: { kind: "exact", text: "https" } },
  ],
  ["{authority: {prefix: a.}}", { authority: { kind: "prefix", text: "a." } }],
  [
    "{headers: {X-A: {exact: ''}}}",
    { headers: [{ name: "x-a", value: { kind: "exact", text: "" } }] },
  ],
  ["{headers: {x: {}}}", { headers: [{ name: "x", value: "present" }] }],
  [
    "{withoutHeaders: {x: {regex: '*'}}}",
    { headers: [{ name: "x", value: "present", not: true }] },
  ],
  [
    "{withoutHeaders: {x: {prefix: a}}}",
    { headers: [{ name: "x", value: { kind: "prefix", text: "a" }, not: true }] },
  ],
  [
    "{queryParams: {Q: {exact: a}}}",
    { queryParams: [{ name: "Q", value: { kind: "exact", text: "a" } }] },
  ],
  ["{port: 80}", { port: 80 }],
  [
    "{headers: {'@request.auth.claims.group.id': {exact: a}}, withoutHeaders: {'@request.auth.claims[a.b][c]': {exact: d}}}",
    {
      claims: [
        { claim: ["group", "id"], value: { kind: "exact", text: "a" } },
        { claim: ["a.b", "c"], value: { kind: "exact", text: "d" }, not: true },
      ],
    },
  ],
  ["{uri: {}, name: one}", {}],
];
for (const [written, read] of matches) {
  test(`match ${written}`, () => {
    assert.deepEqual(
      rule(`match: [${written}], ${TO}`, "gateways: [g], ").matches[0]?.condition,
      read,
    );
  });
}

test("who a match is for stands apart from what it demands", () => {
  const match = "{gateways: [mesh, shop/edge], sourceLabels: {app: a}, sourceNamespace: b}";
  assert.deepEqual(rule(`match: [${match}], ${TO}`).matches[0]?.clients, {
    gateways: ["mesh", "shop/edge"],
    sourceLabels: { app: "a" },
    sourceNamespace: "b",
  });
});

const retries: [written: string, read: object | string][] = [
  ["{attempts: 0}", "off"],
  ["{attempts: 3}", { ...DEFAULT_RETRIES, attempts: 3 }],
  [
    "{attempts: 1, retryOn: 'gateway-error,503, 5xx', perTryTimeout: 2s, backoff: 100ms, retryIgnorePreviousHosts: false}",
    {
      attempts: 1,
      conditions: ["gateway-error", "5xx", "retriable-status-codes"],
      statuses: [503],
      perTryTimeoutMs: 2_000,
      backoffMs: 100,
      previousEndpoints: "taken again",
    },
  ],
];
for (const [written, read] of retries) {
  const spaceless = written.replace(", 5xx", ",5xx");
  test(`retries ${spaceless}`, () =>
    assert.deepEqual(rule(`retries: ${spaceless}, ${TO}`).retries, read));
}

test("nothing said of retries and timeouts is nothing", () => {
  const { retries: none, timeoutMs } = rule(TO);
  assert.deepEqual([none, timeoutMs], [undefined, undefined]);
});

const actions: [written: string, read: object][] = [
  [
    "redirect: {uri: /b}",
    { do: "redirect", status: 301, path: { do: "replace-path", path: "/b" } },
  ],
  [
    "redirect: {authority: b, scheme: https, port: 9, redirectCode: 308}",
    { do: "redirect", status: 308, scheme: "https", authority: "b", port: 9 },
  ],
  [
    "redirect: {prefixRewrite: /b, derivePort: FROM_REQUEST_PORT}",
    { do: "redirect", status: 301, port: "request", path: { do: "replace-prefix", prefix: "/b" } },
  ],
  [
    "directResponse: {status: 503, body: {string: sorry}}",
    { do: "respond", status: 503, body: { text: "sorry" } },
  ],
  [
    "directResponse: {status: 200, body: {bytes: aGk=}}",
    { do: "respond", status: 200, body: { base64: "aGk=" } },
  ],
  ["delegate: {name: b}", { do: "delegate", name: "b", namespace: "" }],
  [TO, { do: "forward", destinations: [{ destination: { host: "api" }, weight: 1 }] }],
  [
    "route: [{destination: {host: a, port: {number: 1}, subset: v1}, weight: 9}, {destination: {host: b}}]",
    {
      do: "forward",
      destinations: [{ destination: { host: "a", port: 1, subset: "v1" }, weight: 9 }],
    },
  ],
];
for (const [written, read] of actions) {
  test(`action ${written}`, () => assert.deepEqual(rule(written).action, read));
}

test("headers are changed by name in lower case, but for the authority, which is rewritten", () => {
  const { headers, rewrite } = rule(
    `headers: {request: {set: {Host: b.example.com, X-B: b, X-A: a}, add: {Y: c}, remove: [Z]}, response: {remove: [Server]}}, ${TO}`,
  );
  assert.deepEqual(headers, {
    request: {
      set: [
        { name: "x-a", value: "a" },
        { name: "x-b", value: "b" },
      ],
      add: [{ name: "y", value: "c" }],
      remove: ["z"],
    },
    response: { set: [], add: [], remove: ["server"] },
  });
  assert.deepEqual(rewrite, { authority: "b.example.com" });
});

test("headers of the connection are no route's to change, and whoever tries is told", () => {
  const { resources, issues, notices } = parsed(
    `{hosts: [a.example.com], http: [{headers: {request: {set: {Connection: x, a: b}, remove: [TE]}, response: {add: {Transfer-Encoding: chunked}}}, ${TO}}]}`,
  );
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "VirtualService");
  assert.deepEqual(resource.http[0]?.headers, {
    request: { set: [{ name: "a", value: "b" }], add: [], remove: [] },
  });
  assert.deepEqual(
    notices.map(({ path }) => path.replace("spec.http[0].headers.", "")),
    ["request.set.Connection", "request.remove[0]", "response.add.Transfer-Encoding"],
  );
});

test("rewrite counts before what headers set", () => {
  const { rewrite } = rule(
    `headers: {request: {set: {x: z}}}, rewrite: {uriRegexRewrite: {match: '^/a(.*)', rewrite: '/b\\1'}, authority: c}, ${TO}`,
  );
  assert.deepEqual(rewrite, {
    path: { do: "replace-pattern", pattern: "^/a(.*)", substitution: "/b\\1" },
    authority: "c",
  });
});

test("what is not carried out is read, and told", () => {
  const spec = `{hosts: [a], http: [{corsPolicy: {allowOrigins: [{exact: b}], maxAge: 60s}, fault: {abort: {httpStatus: 500, percentage: {value: 50}}, delay: {fixedDelay: 1s}}, mirror: {host: m}, mirrorPercentage: {value: 10}, ${TO}}]}`;
  const [first] = service(spec).http;
  assert.deepEqual(first?.cors, {
    allowOrigins: [{ kind: "exact", text: "b" }],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    maxAgeSeconds: 60,
    unmatchedPreflights: "forwarded",
  });
  assert.deepEqual(first.fault, { abort: { millionths: 500_000, answer: { httpStatus: 500 } } });
  assert.deepEqual(first.mirrors, [{ destination: { host: "m" }, millionths: 100_000 }]);
  assert.match(
    parsed(spec)
      .notices.map(({ message }) => message)
      .join("\n"),
    /without effect here yet: .*corsPolicy.*mirror/,
  );
});

test("connections: server names in lower case, subnets and ports", () => {
  const { tls, tcp } = service(
    "{hosts: [A.example.com], gateways: [g], tls: [{match: [{sniHosts: [A.example.com], port: 443}], route: [{destination: {host: b}}]}], tcp: [{match: [{destinationSubnets: [10.0.0.0/8]}], route: [{destination: {host: c}}]}]}",
  );
  assert.deepEqual(tls[0]?.matches[0]?.serverNames, ["a.example.com"]);
  assert.equal(tls[0]?.matches[0]?.port, 443);
  assert.deepEqual(tcp[0]?.matches[0]?.destinationSubnets, ["10.0.0.0/8"]);
});

const refused: [route: string, issue: RegExp][] = [
  [
    `match: [{uri: {regex: '\\pL'}}], ${TO}`,
    /match\[0\]\.uri\.regex: cannot be matched here: the regular expression has/,
  ],
  ["redirect: {uri: /a, redirectCode: 300}", /redirectCode: is 300, with which no proxy redirects/],
  [
    `rewrite: {uriRegexRewrite: {match: '/a', rewrite: '\\1'}}, ${TO}`,
    /uriRegexRewrite\.rewrite: cannot be carried out: it has no group for/,
  ],
];
for (const [route, issue] of refused) {
  test(`refused: ${route}`, () => {
    const { issues } = parsed(`{hosts: [a], http: [{${route}}]}`);
    assert.equal(issues.length, 1);
    assert.match(`${issues[0]?.path}: ${issues[0]?.problem}`, issue);
  });
}
