import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clusterTrust,
  connectionFrom,
  type RequestParts,
  requestOn,
} from "../../test/kit/mesh-parts.ts";
import type { AuthorizationRule } from "../api/authorization-policy.ts";
import { authorizeConnection, authorizeRequest, compileAuthorization } from "./authorize.ts";
import type { Decision, Reason } from "./decision.ts";
import type { Connection } from "./traffic.ts";
import type { AppliedPolicy, Trust } from "./workload-view.ts";

const SLEEP = "spiffe://cluster.local/ns/default/sa/sleep";

type RuleParts = Partial<Omit<AuthorizationRule, "line">>;

function policy(
  action: "ALLOW" | "DENY",
  rules: readonly RuleParts[],
  { name = "p", namespace = "default" }: { name?: string; namespace?: string } = {},
): AppliedPolicy {
  return {
    ref: { kind: "AuthorizationPolicy", namespace, name },
    source: { file: "policies.yaml", line: 1 },
    action,
    rules: rules.map((rule, index) => ({ line: 10 + index, from: [], to: [], when: [], ...rule })),
  };
}

interface Asked extends RequestParts {
  readonly principal?: string;
  readonly trust?: Trust;
  readonly connectionParts?: Partial<Connection>;
}

const splitByAction = (policies: readonly AppliedPolicy[]) => ({
  custom: policies.filter(({ action }) => action === "CUSTOM"),
  audit: policies.filter(({ action }) => action === "AUDIT"),
  deny: policies.filter(({ action }) => action === "DENY"),
  allow: policies.filter(({ action }) => action === "ALLOW"),
});

function judgeHttp(policies: readonly AppliedPolicy[], asked: Asked = {}): Decision {
  const { principal = SLEEP, trust = clusterTrust, connectionParts = {}, ...parts } = asked;
  const compiled = compileAuthorization(splitByAction(policies), { protocol: "http", trust });
  return authorizeRequest(compiled, requestOn(connectionFrom(principal, connectionParts), parts));
}

function judgeTcp(policies: readonly AppliedPolicy[], asked: Asked = {}): Decision {
  const { principal = SLEEP, trust = clusterTrust, connectionParts = {} } = asked;
  const compiled = compileAuthorization(splitByAction(policies), { protocol: "tcp", trust });
  return authorizeConnection(compiled, connectionFrom(principal, connectionParts));
}

const td1: Trust = { ...clusterTrust, trustDomain: "td1", trustDomainAliases: ["old"] };
const TD1_SLEEP = "spiffe://td1/ns/default/sa/sleep";
const mutualTlsServerName = "outbound_.80_._.httpbin.default.svc.cluster.local";
const source = (field: string, ...values: string[]): RuleParts => ({ from: [{ [field]: values }] });
const operation = (field: string, ...values: string[]): RuleParts => ({
  to: [{ [field]: values }],
});
const when = (key: string, values: string[], notValues: string[] = []): RuleParts => ({
  when: [{ key, values, notValues }],
});

/** Whether an ALLOW policy of this one rule lets the traffic through: exactly when the rule matches. */
const vectors: [
  id: string,
  rule: RuleParts,
  matches: boolean,
  asked?: Asked & { inNamespace?: string },
][] = [
  ["MV-1", source("principals", "cluster.local/ns/default/sa/sleep"), true],
  ["MV-2", source("principals", SLEEP), false],
  ["MV-3", source("principals", "*/ns/default/sa/sleep"), true],
  ["MV-4", source("principals", "*/sa/sleep"), true],
  ["MV-5", source("principals", "cluster.local/ns/default/*"), true],
  ["MV-6", source("principals", "cluster.local/*/sa/sleep"), false],
  ["MV-7 with mTLS", source("principals", "*"), true],
  ["MV-7 without mTLS", source("principals", "*"), false, { principal: "plaintext" }],
  ["MV-8", source("principals", "Cluster.local/ns/default/sa/sleep"), false],
  ["MV-9", source("principals", "*sleep*"), false],
  ["MV-10", source("notPrincipals", "*"), true, { principal: "plaintext" }],
  ["MV-10 with mTLS", source("notPrincipals", "*"), false],
  [
    "MV-11",
    source("principals", "old/ns/default/sa/sleep"),
    true,
    { trust: td1, principal: TD1_SLEEP },
  ],
  ["MV-12", source("principals", "old/ns/default/*"), false, { trust: td1, principal: TD1_SLEEP }],
  [
    "MV-13",
    source("principals", "cluster.local/ns/default/sa/sleep"),
    true,
    { trust: td1, principal: TD1_SLEEP },
  ],
  ["MV-14", source("namespaces", "default"), true],
  ["MV-15", source("namespaces", "def*"), true],
  ["MV-16 and AP-90, QK-23: ours differs from Istio", source("namespaces", "*a"), false],
  ["AP-46 a wildcard inside", source("namespaces", "d*ul*"), true],
  ["AP-46 many wildcards", source("namespaces", "d*e*a*l*t"), true],
  ["AP-46 wildcards do not overlap", source("namespaces", "def*fault"), false],
  ["AP-46 a wildcard and the segment after it", source("namespaces", "def*/s*"), true],
  ["MV-17 and QK-21", source("namespaces", "defaul."), false],
  ["MV-18", source("serviceAccounts", "sleep"), true, { inNamespace: "default" }],
  ["MV-19", source("serviceAccounts", "sleep"), false, { inNamespace: "other" }],
  [
    "MV-20",
    source("serviceAccounts", "default/sleep"),
    true,
    { principal: TD1_SLEEP, inNamespace: "other" },
  ],
  ["QK-22", source("serviceAccounts", "default/sl.ep"), false],
  ["MV-21", operation("hosts", "Example.com"), true, { authority: "example.COM" }],
  ["MV-22", operation("hosts", "example.com"), false, { authority: "example.com:80" }],
  ["AP-52 any port", operation("hosts", "example.com:*"), true, { authority: "example.com:80" }],
  ["MV-23", operation("hosts", "*.example.com"), false, { authority: "example.com" }],
  ["MV-24", operation("methods", "get"), false],
  ["MV-25", operation("paths", "/a"), true, { path: "/a?x=1" }],
  ["MV-26", operation("paths", "/a*"), true, { path: "/abc" }],
  ["MV-27", operation("paths", "/a/*"), false, { path: "/a" }],
  ["MV-28", operation("paths", "/a/{*}/c"), true, { path: "/a/b/c" }],
  ["MV-29", operation("paths", "/a/{*}/c"), false, { path: "/a/b/b/c" }],
  ["MV-30", operation("paths", "/a/{**}"), true, { path: "/a/" }],
  ["MV-31", operation("paths", "/a/{**}/c"), true, { path: "/a/x/y/c" }],
  ["AP-73", operation("paths", "/a/{*}"), true, { path: "/a/b?c" }],
  ["QK-9", operation("paths", "/a/b"), false, { path: "/a/b;c" }],
  ["QK-13", operation("paths", "/a"), false, { path: "/a/" }],
  ["MV-32 and AP-56", operation("ports", "80"), false],
  ["AP-56", operation("ports", "8080"), true],
  ["MV-33", source("ipBlocks", "10.0.0.7/24"), true],
  [
    "AP-50 never the forwarded address",
    source("ipBlocks", "1.2.3.4"),
    false,
    { remoteAddress: "1.2.3.4" },
  ],
  ["AP-51", source("remoteIpBlocks", "1.2.3.4"), true, { remoteAddress: "1.2.3.4" }],
  ["MV-34 and AP-41", when("request.headers[x-a]", ["*"]), true, { headers: { "x-a": "" } }],
  ["QK-8", when("request.headers[x-a]", ["a*"]), false, { headers: { "x-a": "" } }],
  ["AP-41 presence needs the header", when("request.headers[x-a]", ["*"]), false],
  ["AP-41 an empty method is present", operation("methods", "*"), true, { method: "" }],
  ["AP-41 a missing host is not present", operation("hosts", "*"), false, { without: "authority" }],
  ["MV-35 name", when("request.headers[X-A]", ["V"]), true, { headers: { "x-a": "V" } }],
  ["MV-35 value", when("request.headers[X-A]", ["v"]), false, { headers: { "x-a": "V" } }],
  ["MV-36", when("request.headers[x-a]", [], ["v"]), true],
  [
    "AP-32 value but not that one",
    when("request.headers[x]", ["a*"], ["ab"]),
    false,
    { headers: { x: "ab" } },
  ],
  [
    "AP-32 value and not that one",
    when("request.headers[x]", ["a*"], ["ab"]),
    true,
    { headers: { x: "ac" } },
  ],
  ["AP-80 raw path", when("request.headers[:path]", ["/a?x"]), true, { path: "/a?x" }],
  ["AP-80 method", when("request.headers[:method]", ["GET"]), true],
  ["AP-98 host", when("request.headers[Host]", ["api:8080"]), true],
  ["AP-81", when("source.ip", ["10.0.0.0/8"]), true],
  ["AP-82", when("remote.ip", ["1.0.0.0/8"]), true, { remoteAddress: "1.2.3.4" }],
  ["AP-83", when("source.namespace", ["default"]), true],
  ["AP-84", when("source.principal", ["*/sa/sleep"]), true],
  ["AP-85", when("source.serviceAccount", ["default/sleep"]), true],
  ["AP-86 and AP-48", when("source.trustDomain", ["cluster.local"]), true],
  [
    "AP-48 cluster.local is no pointer here, unlike in principals",
    source("trustDomains", "cluster.local"),
    false,
    { trust: td1, principal: TD1_SLEEP },
  ],
  ["AP-48 prefix", source("trustDomains", "clus*"), true],
  ["AP-48 suffix", source("trustDomains", "*.local"), true],
  ["AP-48 not past the domain", source("trustDomains", "clus*sleep"), false],
  ["AP-48 foreign", source("trustDomains", "cluster"), false],
  ["AP-92", when("destination.ip", ["10.0.0.5"]), true],
  ["AP-93", when("destination.port", ["8080"]), true],
  [
    "MV-47 and AP-94",
    when("connection.sni", [mutualTlsServerName]),
    true,
    { connectionParts: { serverName: mutualTlsServerName } },
  ],
  ["AP-94 plaintext", when("connection.sni", ["*"]), false],
  ["AP-49 no token is verified yet", source("requestPrincipals", "*"), false],
  ["AP-49 the negative form", source("notRequestPrincipals", "*"), true],
  ["AP-87", when("request.auth.principal", ["*"]), false],
  ["AP-91", when("request.auth.claims[a][b]", ["*"]), false],
  ["AP-91 the negative form", when("request.auth.claims[a]", [], ["x"]), true],
  ["AP-95", when("experimental.envoy.filters.a.b[c]", ["*"]), false],
  ["AP-57 and QK-11: no path", operation("notPaths", "/a"), true, { without: "path" }],
  ["AP-54 no path", operation("paths", "*"), false, { without: "path" }],
  ["AP-54 OPTIONS *", operation("paths", "*"), true, { path: "*" }],
  ["AP-31 fields are ANDed", { to: [{ methods: ["GET"], paths: ["/a"] }] }, false],
  ["AP-31 values are ORed", operation("methods", "PUT", "GET"), true],
  ["AP-31 not of the OR", operation("notMethods", "PUT", "GET"), false],
  ["AP-30 items are ORed", { to: [{ methods: ["PUT"] }, { methods: ["GET"] }] }, true],
  [
    "AP-30 parts are ANDed",
    { ...operation("methods", "GET"), ...source("namespaces", "x") },
    false,
  ],
  [
    "AP-30 all of when",
    {
      when: [
        ...(when("source.ip", ["10.0.0.0/8"]).when ?? []),
        ...(when("source.ip", ["1.1.1.1"]).when ?? []),
      ],
    },
    false,
  ],
  ["AP-22 an empty rule", {}, true],
  [
    "AP-36 a value that cannot be read drops the rule",
    { from: [{ ipBlocks: ["nonsense"] }, { namespaces: ["default"] }] },
    false,
  ],
  ["AP-37 an unknown key drops the rule", when("destination.labels[x]", ["y"]), false],
];
for (const [id, rule, matches, { inNamespace = "default", ...asked } = {}] of vectors) {
  test(`${id}: ${JSON.stringify(rule)} ${matches ? "matches" : "does not match"}`, () => {
    const { verdict } = judgeHttp([policy("ALLOW", [rule], { namespace: inNamespace })], asked);
    assert.equal(verdict, matches ? "allow" : "deny");
  });
}

const forms: [id: string, policies: AppliedPolicy[], because: Reason["because"]][] = [
  ["AP-7 no policy at all", [], "no-allow-policy"],
  [
    "AP-7 a DENY that does not match",
    [policy("DENY", [operation("methods", "PUT")])],
    "no-allow-policy",
  ],
  ["AP-20 ALLOW without rules matches nothing", [policy("ALLOW", [])], "no-allow-matched"],
  ["AP-20 DENY without rules matches nothing", [policy("DENY", [])], "no-allow-policy"],
  ["AP-22 ALLOW of everything", [policy("ALLOW", [{}])], "matched-allow"],
  ["AP-22 DENY of everything", [policy("DENY", [{}])], "matched-deny"],
  [
    "AP-25 a union of ALLOW policies",
    [policy("ALLOW", []), policy("ALLOW", [{}], { name: "q" })],
    "matched-allow",
  ],
  [
    "AP-1 DENY before ALLOW",
    [policy("ALLOW", [{}]), policy("DENY", [{}], { name: "q" })],
    "matched-deny",
  ],
  ["AP-33 any rule", [policy("ALLOW", [operation("methods", "PUT"), {}])], "matched-allow"],
  [
    "AP-36 a value that cannot be read widens a DENY",
    [policy("DENY", [source("ipBlocks", "nonsense")])],
    "matched-deny",
  ],
  [
    "AP-37 an unknown key widens a DENY",
    [policy("DENY", [when("nonsense", ["x"])])],
    "matched-deny",
  ],
  [
    "AP-72 and QK-10: a DENY template has no gap",
    [policy("DENY", [operation("paths", "/a/{*}")])],
    "matched-deny",
  ],
];
for (const [id, policies, because] of forms) {
  test(`${id} gives ${because}`, () => {
    assert.equal(judgeHttp(policies, { path: "/a/b=|ü" }).reason.because, because);
  });
}

const templates: [action: "ALLOW" | "DENY", field: string, path: string, allowed: boolean][] = [
  ["ALLOW", "paths", "/a/b", true],
  ["ALLOW", "paths", "/a/b=c", false],
  ["ALLOW", "paths", "/a/b*", false],
  ["ALLOW", "paths", "/a/\u00fc", false],
  ["ALLOW", "notPaths", "/a/b", false],
  ["ALLOW", "notPaths", "/a/b=c", false],
  ["ALLOW", "notPaths", "/x", true],
  ["DENY", "paths", "/a/b", false],
  ["DENY", "paths", "/a/b=c", false],
  ["DENY", "paths", "/a/\u00fc", false],
  ["DENY", "paths", "/x", true],
  ["DENY", "notPaths", "/a/b", true],
  ["DENY", "notPaths", "/a/b=c", false],
];
for (const [action, field, path, allowed] of templates) {
  test(`AP-72, QK-10: ${action} ${field} /a/{*} ${allowed ? "allows" : "denies"} ${path}`, () => {
    const { verdict } = judgeHttp([policy(action, [operation(field, "/a/{*}")])], { path });
    assert.equal(verdict, allowed ? "allow" : "deny");
  });
}

const SENT_TWICE: [
  action: "ALLOW" | "DENY",
  values: string[],
  notValues: string[],
  sent: string,
  allowed: boolean,
][] = [
  ["DENY", ["admin"], [], "user,admin", false],
  ["DENY", ["admin"], [], "admin,user", false],
  ["DENY", ["admin"], [], "user, admin\t,x", false],
  ["DENY", ["admin"], [], "user,administrator", true],
  ["DENY", ["ad*"], [], "user,administrator", false],
  ["DENY", ["*min"], [], "admin,user", false],
  ["DENY", ["a,b"], [], "a,b", false],
  ["DENY", ["a,b"], [], "x,a,b", true],
  ["DENY", ["*"], ["user"], "user,admin", false],
  ["DENY", ["*"], ["user"], "user", true],
  ["ALLOW", ["admin"], [], "admin", true],
  ["ALLOW", ["admin"], [], "user,admin", false],
  ["ALLOW", ["*"], ["admin"], "user,admin", false],
  ["ALLOW", ["*"], ["admin"], "user,guest", true],
];
for (const [action, values, notValues, sent, allowed] of SENT_TWICE) {
  const rule = `${values} but not ${notValues.length === 0 ? "nothing" : notValues}`;
  test(`AP-80, QK-7: ${action} ${rule} ${allowed ? "allows" : "denies"} ${sent}`, () => {
    const rules = [when("request.headers[x-role]", values, notValues)];
    const { verdict } = judgeHttp([policy(action, rules)], { headers: { "x-role": sent } });
    assert.equal(verdict, allowed ? "allow" : "deny");
  });
}

test("AP-35 and AP-34 the first rule by id is reported: index 10 comes before 2", () => {
  const rules = Array.from({ length: 11 }, (_, index) =>
    index === 2 || index === 10 ? {} : operation("methods", "PUT"),
  );
  const { reason } = judgeHttp([policy("DENY", rules)]);
  assert.ok(reason.because === "matched-deny");
  assert.deepEqual(reason.matched, {
    policy: { kind: "AuthorizationPolicy", namespace: "default", name: "p" },
    rule: 10,
    source: { file: "policies.yaml", line: 20 },
  });
});

const onTcp: [id: string, policies: AppliedPolicy[], because: Reason["because"]][] = [
  [
    "AP-61 ALLOW with an HTTP field",
    [policy("ALLOW", [operation("methods", "GET")])],
    "no-allow-matched",
  ],
  [
    "AP-61 and QK-62: in one of several items",
    [policy("ALLOW", [{ to: [{ methods: ["GET"] }, { ports: ["8080"] }] }])],
    "no-allow-matched",
  ],
  [
    "AP-61 even a negative one",
    [policy("ALLOW", [operation("notPaths", "/x")])],
    "no-allow-matched",
  ],
  [
    "AP-61 the other rules stay",
    [policy("ALLOW", [operation("methods", "GET"), operation("ports", "8080")])],
    "matched-allow",
  ],
  [
    "AP-62 DENY of HTTP alone denies every connection",
    [policy("DENY", [operation("methods", "GET")])],
    "matched-deny",
  ],
  [
    "AP-62 and SEED-8: request principals",
    [policy("DENY", [source("notRequestPrincipals", "*")])],
    "matched-deny",
  ],
  [
    "AP-62 DENY keeps what TCP can ask",
    [policy("DENY", [{ to: [{ methods: ["GET"], ports: ["9999"] }] }])],
    "no-allow-policy",
  ],
  ["AP-62 when", [policy("DENY", [when("request.headers[x]", ["y"])])], "matched-deny"],
  ["AP-60 principals", [policy("ALLOW", [source("principals", "*/sa/sleep")])], "matched-allow"],
  [
    "QK-20 a suffix principal in a DENY",
    [policy("DENY", [source("principals", "*/ns/default/sa/sleep")])],
    "matched-deny",
  ],
  [
    "AP-60 remoteIpBlocks are the peer's address",
    [policy("ALLOW", [source("remoteIpBlocks", "10.0.0.200")])],
    "matched-allow",
  ],
  ["AP-60 sni", [policy("ALLOW", [when("connection.sni", [], ["x"])])], "matched-allow"],
];
for (const [id, policies, because] of onTcp) {
  test(`on TCP: ${id} gives ${because}`, () => {
    assert.equal(judgeTcp(policies).reason.because, because);
  });
}

test("AP-61 what an ALLOW rule lost on TCP is said", () => {
  const { reason } = judgeTcp([policy("ALLOW", [operation("methods", "GET")])]);
  assert.ok(reason.because === "no-allow-matched");
  assert.deepEqual(reason.nearest[0]?.unmet, [
    {
      field: "to.operation.methods",
      expected: "GET",
      got: "no HTTP, as the port is carried as TCP",
    },
  ]);
});

/** The same rule in a policy of the root namespace and in one of the caller's: which of them matches. */
const ownAccounts: [field: string, rule: RuleParts, matches: string][] = [
  ["serviceAccounts", source("serviceAccounts", "sleep"), "default"],
  ["notServiceAccounts", source("notServiceAccounts", "sleep"), "istio-system"],
  ["source.serviceAccount", when("source.serviceAccount", ["sleep"]), "default"],
];
for (const [field, rule, matches] of ownAccounts) {
  test(`AP-47, AP-85 ${field} without a namespace means its own policy's, whatever other policies say`, () => {
    const both = ["istio-system", "default"].map((namespace) =>
      policy("ALLOW", [rule], { namespace }),
    );
    for (const policies of [both, both.toReversed()]) {
      const { reason } = judgeHttp(policies);
      assert.ok(reason.because === "matched-allow");
      assert.equal(reason.matched.policy.namespace, matches);
    }
  });
}

test("an open connection can be kept, and judged again whenever the policies change", () => {
  const kept = connectionFrom(SLEEP, { serverName: mutualTlsServerName });
  const asAccepted = structuredClone(kept);
  const judgeKept = (...policies: readonly AppliedPolicy[]): string => {
    const compiled = compileAuthorization(splitByAction(policies), {
      protocol: "tcp",
      trust: clusterTrust,
    });
    return authorizeConnection(compiled, kept).reason.because;
  };
  const sleepOnly = policy("ALLOW", [source("principals", "*/sa/sleep")]);
  assert.equal(judgeKept(), "no-allow-policy");
  assert.equal(judgeKept(sleepOnly), "matched-allow");
  assert.equal(judgeKept(sleepOnly, policy("DENY", [operation("ports", "8080")])), "matched-deny");
  assert.equal(judgeKept(policy("ALLOW", [])), "no-allow-matched");
  assert.equal(
    judgeKept(policy("ALLOW", [when("connection.sni", [mutualTlsServerName])])),
    "matched-allow",
  );
  assert.deepEqual(kept, asAccepted);
});

test("a connection is never judged by what was compiled for HTTP", () => {
  const compiled = compileAuthorization(
    { custom: [], audit: [], deny: [], allow: [] },
    { protocol: "http", trust: clusterTrust },
  );
  assert.throws(() => authorizeConnection(compiled, connectionFrom(SLEEP)), RangeError);
});

test("the nearest rules: fewest unmet conditions first, then those that let the caller in, then order, at most three", () => {
  const allow = policy("ALLOW", [
    { ...operation("methods", "PUT"), ...source("namespaces", "x") },
    { from: [{ namespaces: ["x"], principals: ["y"] }, { notPrincipals: ["*/sleep"] }] },
    operation("notMethods", "GET", "HEAD"),
    {
      ...operation("paths", "/x"),
      ...when("request.headers[x-role]", ["admin"]),
      ...source("namespaces", "x"),
    },
    operation("ports", "1", "2", "3", "4", "5", "6", "7"),
  ]);
  const { reason } = judgeHttp([allow]);
  assert.ok(reason.because === "no-allow-matched");
  assert.deepEqual(
    reason.nearest.map(({ rule, unmet }) => [rule.rule, unmet]),
    [
      [2, [{ field: "to.operation.notMethods", expected: "anything but GET, HEAD", got: "GET" }]],
      [4, [{ field: "to.operation.ports", expected: "1, 2, 3, 4, 5 and 2 more", got: "8080" }]],
      [
        1,
        [
          {
            field: "from.source.notPrincipals",
            expected: "anything but */sleep",
            got: "cluster.local/ns/default/sa/sleep",
          },
        ],
      ],
    ],
  );
});

const GATEWAY = "spiffe://cluster.local/gateway";
const told: [rule: RuleParts, got: string, asked?: Asked][] = [
  [source("principals", "x"), "cluster.local/ns/default/sa/sleep"],
  [source("principals", "x"), "nothing", { principal: "plaintext" }],
  [source("namespaces", "x"), "default"],
  [source("serviceAccounts", "x"), "default/sleep"],
  [source("serviceAccounts", "x"), "spiffe://cluster.local/gateway", { principal: GATEWAY }],
  [source("trustDomains", "x"), "cluster.local"],
  [source("ipBlocks", "1.1.1.1"), "10.0.0.200"],
  [source("requestPrincipals", "x"), "nothing"],
  [operation("hosts", "x"), "api:8080"],
  [operation("paths", "/x"), "/a", { path: "/a?secret=1" }],
  [when("request.headers[x]", ["y"]), "an empty value", { headers: { x: "" } }],
  [when("request.headers[x]", ["y"]), "z".repeat(200), { headers: { x: "z".repeat(200) } }],
  [when("request.headers[x]", ["y"]), `${"z".repeat(200)}…`, { headers: { x: "z".repeat(300) } }],
];
for (const [rule, got, asked] of told) {
  test(`a denial tells ${JSON.stringify(rule)} got ${got.slice(0, 40)}`, () => {
    const { reason } = judgeHttp([policy("ALLOW", [rule])], asked);
    assert.ok(reason.because === "no-allow-matched");
    assert.equal(reason.nearest[0]?.unmet[0]?.got, got);
  });
}

test("a denial tells neither a credential nor what it should have been", () => {
  const rule = when("request.headers[Authorization]", ["Bearer expected-token"]);
  const asked = { headers: { authorization: "Bearer sent-token" } };
  const { reason } = judgeHttp([policy("ALLOW", [rule])], asked);
  assert.ok(reason.because === "no-allow-matched");
  assert.doesNotMatch(JSON.stringify(reason), /token/);
});
