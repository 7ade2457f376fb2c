import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthorizationPolicy } from "./authorization-policy.ts";
import { parseResources } from "./parse-resources.ts";

const HEAD = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
const notices = (spec: string): string[] =>
  parse(spec).notices.map(({ source, path, message }) => `${source.line} ${path}: ${message}`);
const rule = (fields: string): string => `spec: {rules: [{${fields}}]}`;
const source = (fields: string): string => rule(`from: [{source: {${fields}}}]`);
const operation = (fields: string): string => rule(`to: [{operation: {${fields}}}]`);
const when = (fields: string): string => rule(`when: [{${fields}}]`);
const custom = (fields: string): string =>
  `spec: {action: CUSTOM, provider: {name: opa}, rules: [{${fields}}]}`;

type Spec = Omit<AuthorizationPolicy, "kind" | "meta">;
const empty: Spec = { selector: {}, targetRefs: [], action: "ALLOW", dryRun: false, rules: [] };
const anything = { line: 4, from: [], to: [], when: [] };
const valid: [rule: string, spec: string, Spec][] = [
  ["AP-20 no spec", "", empty],
  ["AP-20", "spec: {}", empty],
  ["AP-21", "spec: {rules: []}", empty],
  ["AP-22", "spec: {rules: [{}]}", { ...empty, rules: [anything] }],
  ["AP-22", "spec: {action: DENY, rules: [{}]}", { ...empty, action: "DENY", rules: [anything] }],
  ["AP-12", "spec: {selector: {matchLabels: {app: api}}}", { ...empty, selector: { app: "api" } }],
  ["AP-9 AUDIT", "spec: {action: AUDIT}", { ...empty, action: "AUDIT" }],
  [
    "AP-120 CUSTOM",
    "spec: {action: CUSTOM, provider: {name: opa}, rules: [{}]}",
    { ...empty, action: "CUSTOM", provider: "opa", providerLine: 4, rules: [anything] },
  ],
  [
    "AP-14",
    "spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]}",
    {
      ...empty,
      targetRefs: [
        { group: "gateway.networking.k8s.io", kind: "Gateway", name: "g", namespace: "" },
      ],
    },
  ],
  [
    "AP-13",
    "spec: {targetRef: {kind: Service, name: s}}",
    { ...empty, targetRefs: [{ group: "", kind: "Service", name: "s", namespace: "" }] },
  ],
  [
    "AP-30 and the line of each rule",
    `spec:
  rules:
  - from:
    - source: {principals: ["cluster.local/ns/a/sa/b", "*"], notIpBlocks: [10.0.0.7/24]}
    - source: {serviceAccounts: [a/b]}
    to:
    - operation: {methods: [GET], paths: ["/a/{*}"], ports: ["80"]}
  - when:
    - {key: "request.headers[X-A]", values: [a], notValues: [b]}
    - {key: source.ip, notValues: ["fd00::/8"]}`,
    {
      ...empty,
      rules: [
        {
          line: 6,
          from: [
            { principals: ["cluster.local/ns/a/sa/b", "*"], notIpBlocks: ["10.0.0.7/24"] },
            { serviceAccounts: ["a/b"] },
          ],
          to: [{ ports: ["80"], methods: ["GET"], paths: ["/a/{*}"] }],
          when: [],
        },
        {
          line: 11,
          from: [],
          to: [],
          when: [
            { key: "request.headers[X-A]", values: ["a"], notValues: ["b"] },
            { key: "source.ip", values: [], notValues: ["fd00::/8"] },
          ],
        },
      ],
    },
  ],
];
for (const [name, spec, expected] of valid) {
  test(`${name}: ${JSON.stringify(spec)} is accepted`, () => {
    const { resources, issues: found } = parse(spec);
    assert.deepEqual(found, []);
    assert.equal(resources.length, 1);
    const [{ meta, ...rest } = { meta: undefined }] = resources;
    assert.equal(meta?.namespace, "shop");
    assert.deepEqual(rest, { kind: "AuthorizationPolicy", ...expected });
  });
}

const targets = Array.from({ length: 17 }, () => "{kind: Service, name: s}").join(",");
const invalid: [rule: string, spec: string, issue: RegExp][] = [
  [
    "VAL-2",
    "spec:\n  rules:\n  - form: []",
    /^6 spec\.rules\[0\]\.form: is not a known field; did you mean from\?$/,
  ],
  [
    "VAL-2",
    source("principal: [a]"),
    /^4 .*source\.principal: is not a known field; did you mean principals\?$/,
  ],
  [
    "VAL-2",
    rule("from: [{source: {namespaces: [a]}, x: 1}]"),
    /^4 spec\.rules\[0\]\.from\[0\]\.x: is not a known field$/,
  ],
  [
    "VAL-5",
    "spec: {selector: {}, targetRefs: [{kind: Service, name: s}]}",
    /^4 spec\.targetRefs: must not be given together with selector/,
  ],
  [
    "VAL-5",
    "spec: {targetRef: {kind: Service, name: s}, targetRefs: [{kind: Service, name: s}]}",
    /^4 spec\.targetRefs: must not be given together with targetRef/,
  ],
  [
    "VAL-6 name",
    "spec: {targetRefs: [{kind: Service, name: ''}]}",
    /targetRefs\[0\]\.name: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-6 namespace",
    "spec: {targetRefs: [{kind: Service, name: s, namespace: other}]}",
    /targetRefs\[0\]\.namespace: must not be given/,
  ],
  [
    "VAL-6 kind",
    "spec: {targetRefs: [{kind: Pod, name: s}]}",
    /targetRefs\[0\]\.kind: "\/Pod" cannot be a target/,
  ],
  [
    "VAL-6 group",
    "spec: {targetRefs: [{kind: Gateway, name: s}]}",
    /targetRefs\[0\]\.kind: "\/Gateway" cannot be a target/,
  ],
  ["VAL-7", `spec: {targetRefs: [${targets}]}`, /^4 spec\.targetRefs: has 17 items; at most 16/],
  ["VAL-20", "spec: {action: DENY}", /^4 spec\.rules: DENY without rules never applies/],
  ["VAL-20", "spec: {action: DENY, rules: []}", /^4 spec\.rules: DENY without rules/],
  [
    "VAL-21",
    "spec: {provider: {name: x}}",
    /^4 spec\.provider: must not be given with action ALLOW$/,
  ],
  [
    "VAL-20",
    "spec: {action: CUSTOM, provider: {name: x}}",
    /^4 spec\.rules: CUSTOM without rules never applies/,
  ],
  [
    "VAL-21",
    "spec: {action: CUSTOM, rules: [{}]}",
    /^4 spec\.provider\.name: is missing: CUSTOM needs a provider$/,
  ],
  [
    "VAL-22 field",
    "spec: {action: CUSTOM, provider: {name: x}, rules: [{from: [{source: {namespaces: [a]}}]}]}",
    /source\.namespaces: cannot be used with action CUSTOM$/,
  ],
  [
    "VAL-22 key",
    "spec: {action: CUSTOM, provider: {name: x}, rules: [{when: [{key: 'request.auth.claims[a]', values: [b]}]}]}",
    /when\[0\]\.key: request\.auth\.claims\[a\] cannot be used with action CUSTOM$/,
  ],
  [
    "action",
    "spec: {action: allow}",
    /^4 spec\.action: is "allow"; expected one of ALLOW, DENY, AUDIT, CUSTOM$/,
  ],
  ["VAL-23 nil rule", "spec:\n  rules:\n  -", /^6 spec\.rules\[0\]: is empty; expected a map$/],
  ["VAL-23", rule("from: []"), /^4 spec\.rules\[0\]\.from: must have at least one item/],
  ["VAL-23 null", rule("from: null"), /^4 spec\.rules\[0\]\.from: must have at least one item/],
  ["VAL-23", rule("to: []"), /^4 spec\.rules\[0\]\.to: must have at least one item/],
  ["VAL-23", rule("from: [{}]"), /from\[0\]\.source: is missing; expected a map/],
  ["VAL-23", rule("to: [{}]"), /to\[0\]\.operation: is missing; expected a map/],
  ["VAL-23", source(""), /from\[0\]\.source: must have at least one field$/],
  ["VAL-23", operation(""), /to\[0\]\.operation: must have at least one field$/],
  [
    "VAL-23 a field without values",
    source("principals: [], namespaces: [a]"),
    /source\.principals: must have at least one item, or be left out$/,
  ],
  [
    "AP-30 when",
    rule("when: []"),
    /rules\[0\]\.when: must have at least one item, or be left out$/,
  ],
  ["AP-30 when", rule("when:"), /rules\[0\]\.when: must have at least one item, or be left out$/],
  [
    "AP-32 values",
    when("key: source.ip, values: [], notValues: [10.0.0.1]"),
    /when\[0\]\.values: must have at least one item, or be left out$/,
  ],
  [
    "AP-32 notValues",
    when("key: source.ip, values: [10.0.0.1], notValues: null"),
    /when\[0\]\.notValues: must have at least one item, or be left out$/,
  ],
  [
    "AP-32 neither",
    when("key: source.ip, values: [], notValues: []"),
    /needs values or notValues$/,
  ],
  [
    "AP-97 a header",
    when('key: "request.header[x-a]", values: [a]'),
    /is not a known key; did you mean request\.headers\[x-a\]\?$/,
  ],
  [
    "AP-97 a header without a name",
    when("key: request.header, values: [a]"),
    /is not a known key; did you mean request\.headers\[name\]\?$/,
  ],
  [
    "AP-97 a principal",
    when("key: source.principals, values: [a]"),
    /is not a known key; did you mean source\.principal\?$/,
  ],
  ["AP-97 nothing like it", when("key: color, values: [a]"), /"color" is not a known key$/],
  [
    "VAL-3 labels at the wrong place",
    "spec: {selector: {app: api}}",
    /^4 spec\.selector\.app: is not a known field; labels stand under matchLabels$/,
  ],
  ["VAL-24", source("principals: [a, '']"), /source\.principals\[1\]: must not be an empty value$/],
  ["VAL-24", operation("hosts: ['']"), /operation\.hosts\[0\]: must not be an empty value$/],
  [
    "VAL-24 not text",
    operation("ports: [80]"),
    /operation\.ports\[0\]: is the number 80; expected text: write "80"$/,
  ],
  [
    "VAL-24 not a list",
    operation("methods: GET"),
    /operation\.methods: is "GET"; expected a list$/,
  ],
  [
    "VAL-25",
    source("ipBlocks: [1.2.3.4, ip1]"),
    /source\.ipBlocks\[1\]: "ip1" is not an IP address/,
  ],
  [
    "VAL-25",
    source("notRemoteIpBlocks: [1.2.3.4/33]"),
    /notRemoteIpBlocks\[0\]: .* is not an IP address/,
  ],
  ["VAL-26", operation("notPorts: [http]"), /notPorts\[0\]: "http" is not a port/],
  ["VAL-26", operation("ports: ['65536']"), /ports\[0\]: "65536" is not a port/],
  ["VAL-27 slash", source("serviceAccounts: [a/b/c]"), /serviceAccounts\[0\]: "a\/b\/c" should be/],
  ["VAL-27 half", source("serviceAccounts: [a/]"), /serviceAccounts\[0\]: "a\/" should be/],
  [
    "VAL-27 wildcard",
    source("serviceAccounts: ['a*']"),
    /serviceAccounts\[0\]: "a\*" must not have a wildcard$/,
  ],
  ["VAL-27 length", source(`serviceAccounts: [${"a".repeat(321)}]`), /longer than 320/],
  [
    "VAL-27 length in bytes",
    source(`serviceAccounts: [${"é".repeat(161)}]`),
    /longer than 320 bytes/,
  ],
  ["VAL-27 count", source(`serviceAccounts: [${"a,".repeat(17)}]`), /has 17 items; at most 16/],
  [
    "VAL-27 group",
    source("serviceAccounts: [a], namespaces: [b]"),
    /serviceAccounts: must not be given together with namespaces$/,
  ],
  [
    "VAL-27 not-group",
    source("notServiceAccounts: [a], notPrincipals: [b]"),
    /notServiceAccounts: must not be given together with notPrincipals$/,
  ],
  ["VAL-28", source("trustDomains: [a/b]"), /trustDomains\[0\]: "a\/b" must not have a "\/"$/],
  ["VAL-28", source("trustDomains: ['a*b']"), /trustDomains\[0\]: "a\*b" may have one wildcard/],
  ["VAL-28", source("trustDomains: ['*a*']"), /trustDomains\[0\]: "\*a\*" may have one wildcard/],
  ["VAL-29", operation("paths: ['/{**}/{*}']"), /paths\[0\]: \{\*\*\} must be the last operator$/],
  ["VAL-29", operation("notPaths: ['/{a}']"), /notPaths\[0\]: segment "\{a\}" has a brace/],
  ["VAL-31 no key", when("values: [a]"), /when\[0\]\.key: is missing$/],
  ["VAL-31 empty key", when("key: '', values: [a]"), /when\[0\]\.key: must not be empty$/],
  ["VAL-31, AP-24", when("key: source.principal"), /when\[0\]: needs values or notValues$/],
  ["VAL-31 unknown", when("key: key1, values: [a]"), /when\[0\]\.key: "key1" is not a known key$/],
  [
    "VAL-31 no name",
    when("key: request.headers, values: [a]"),
    /should have the form request\.headers\[name\]$/,
  ],
  [
    "AP-98",
    when("key: 'request.headers[]', values: [a]"),
    /should have the form request\.headers\[name\]$/,
  ],
  [
    "AP-97",
    when("key: 'request.headersX[a]', values: [a]"),
    /should have the form request\.headers\[name\]$/,
  ],
  [
    "AP-91",
    when("key: request.auth.claims, values: [a]"),
    /should have the form request\.auth\.claims\[name\]$/,
  ],
  [
    "VAL-32",
    when("key: 'destination.labels[a]', values: [a]"),
    /no longer a key; use the policy's selector instead$/,
  ],
  ["VAL-32", when("key: destination.user, values: [a]"), /no longer a key/],
  [
    "VAL-25 in when",
    when("key: source.ip, values: [a.b]"),
    /when\[0\]\.values\[0\]: "a\.b" is not an IP/,
  ],
  [
    "VAL-26 in when",
    when("key: destination.port, notValues: [x]"),
    /when\[0\]\.notValues\[0\]: "x" is not a port/,
  ],
  [
    "VAL-33 rules",
    `spec: {rules: [${"{},".repeat(513)}]}`,
    /^4 spec\.rules: has 513 items; at most 512/,
  ],
  [
    "VAL-33 from",
    rule(`from: [${"{source: {namespaces: [a]}},".repeat(513)}]`),
    /rules\[0\]\.from: has 513 items/,
  ],
];
for (const [name, spec, issue] of invalid) {
  test(`${name}: ${JSON.stringify(spec.slice(0, 120))} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(spec).resources, []);
  });
}

const keys = [
  "request.headers[:authority]",
  "remote.ip",
  "source.namespace",
  "source.principal",
  "source.serviceAccount",
  "source.trustDomain",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "request.auth.claims[iss]",
  "request.auth.claims[nested1][nested2]",
  "destination.ip",
  "destination.port",
  "connection.sni",
  "experimental.envoy.filters.a.b[c]",
];
for (const key of keys) {
  test(`AP-80..AP-95: the key ${key} is accepted`, () => {
    const value = key.endsWith(".ip") ? "10.0.0.0/8" : key === "destination.port" ? "80" : "a/b";
    assert.deepEqual(issues(when(`key: '${key}', values: ['${value}']`)), []);
  });
}

const advice: [rule: string, spec: string, notice: RegExp][] = [
  ["VAL-4", "spec: {selector: {matchLabels: {}}}", /^4 spec\.selector: has no labels/],
  [
    "VAL-30",
    "spec:\n  action: DENY\n  rules:\n  - to: [{operation: {methods: [GET]}}]",
    /^7 spec\.rules\[0\]: denies all traffic on TCP ports/,
  ],
  [
    "VAL-30 from stays behind to",
    "spec: {action: DENY, rules: [{from: [{source: {principals: [a]}}], to: [{operation: {methods: [GET]}}]}]}",
    /denies more on TCP ports: .* what else it says still holds; name the ports/,
  ],
  [
    "VAL-30 one of several sources is lost",
    "spec: {action: DENY, rules: [{from: [{source: {principals: [a]}}, {source: {requestPrincipals: [a/b]}}], to: [{operation: {methods: [GET]}}]}]}",
    /denies all traffic on TCP ports/,
  ],
  [
    "VAL-30 when stays",
    "spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}], when: [{key: source.ip, values: [10.0.0.1]}]}]}",
    /denies more on TCP ports/,
  ],
  [
    "VAL-30 when is lost too",
    "spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}], when: [{key: 'request.headers[a]', values: [b]}]}]}",
    /denies all traffic on TCP ports/,
  ],
  ["AP-65 CUSTOM", custom("to: [{operation: {paths: [/a]}}]"), /every connection in scope is/],
  [
    "AP-65 CUSTOM narrowed",
    custom("from: [{source: {ipBlocks: [10.0.0.1]}}], to: [{operation: {paths: [/a]}}]"),
    /every connection that meets the rest of it is delegated there, and refused/,
  ],
  [
    "AP-65 CUSTOM, one of several without ports",
    custom("to: [{operation: {paths: [/a], ports: ['80']}}, {operation: {paths: [/b]}}]"),
    /every connection in scope is/,
  ],
  [
    "AP-20 rules left blank",
    "spec:\n  rules:",
    /^5 spec\.rules: is left blank, so it has no rules/,
  ],
  ["AP-20 no spec", "", /^1 spec: is missing, so it has no rules: it allows nothing, and denies/],
  [
    "AP-42 a principal with a * in its middle",
    source("principals: ['cluster.local/ns/*/sa/guest']"),
    /"cluster\.local\/ns\/\*\/sa\/guest" has a \* elsewhere .* \(AP-42\).*; write one \* at/,
  ],
  [
    "AP-42 a principal with a * at both ends",
    source("principals: [a], notPrincipals: ['*guest*']"),
    /notPrincipals\[0\]: "\*guest\*" has a \* elsewhere/,
  ],
  ["AP-42 a host", operation("hosts: ['a*b.com']"), /hosts\[0\]: "a\*b\.com" has a \* elsewhere/],
  [
    "AP-42 a path with a * for a segment",
    operation("paths: ['/cart/*/lines']"),
    /paths\[0\]: .* only paths that have a \* there; did you mean \/cart\/\{\*\}\/lines\?$/,
  ],
  [
    "AP-42 a path that ends in two",
    operation("paths: ['/cart/**']"),
    /did you mean \/cart\/\{\*\*\}\?$/,
  ],
  [
    "AP-42 a path with a * within a segment",
    operation("paths: ['/cart-*/lines']"),
    /write \{\*\} for one whole segment$/,
  ],
  [
    "AP-42 a path with a * at both ends",
    operation("paths: ['*/admin/*']"),
    /write \{\*\} for one whole segment$/,
  ],
  [
    "VAL-30 as the webhook has it: trustDomains do not count",
    "spec: {action: DENY, rules: [{from: [{source: {trustDomains: [a]}}]}]}",
    /holds on TCP ports as it is written; Istio warns all the same/,
  ],
  [
    "VAL-30 requestPrincipals",
    "spec: {action: DENY, rules: [{from: [{source: {requestPrincipals: [a/b]}}]}]}",
    /denies all traffic on TCP/,
  ],
  ["VAL-34 method", operation("methods: [get]"), /methods\[0\]: "get" never matches/],
  [
    "VAL-34 principal",
    source("principals: ['spiffe://a/b']"),
    /principals\[0\]: .* without spiffe:\/\/$/,
  ],
  [
    "VAL-34 when principal",
    when("key: source.principal, values: ['spiffe://a/b']"),
    /values\[0\]: .* without spiffe/,
  ],
  [
    "VAL-34 request principal",
    source("requestPrincipals: [a]"),
    /requestPrincipals\[0\]: .*issuer\/subject$/,
  ],
  ["AP-90", source("namespaces: ['*a']"), /namespaces\[0\]: "\*a" matches only the ends/],
  [
    "AP-90 not",
    source("principals: [a], notNamespaces: ['*a']"),
    /notNamespaces\[0\]: "\*a" matches only/,
  ],
  ["AP-45b", source("notPrincipals: [a]"), /rules\[0\]: says only who the caller must not be/],
  ["VAL-34 path", operation("paths: ['/a?b']"), /paths\[0\]: "\/a\?b" never matches/],
  ["AP-54 path", operation("paths: [admin]"), /paths\[0\]: "admin" matches no ordinary path/],
];
for (const [name, spec, notice] of advice) {
  test(`${name}: ${JSON.stringify(spec)} is told about`, () => {
    assert.deepEqual(issues(spec), []);
    const found = notices(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", notice);
  });
}

const quiet: [rule: string, spec: string][] = [
  [
    "VAL-30 with a port",
    "spec: {action: DENY, rules: [{to: [{operation: {methods: [GET], ports: ['80']}}]}]}",
  ],
  [
    "VAL-30 with a principal",
    "spec: {action: DENY, rules: [{from: [{source: {principals: [a]}}]}]}",
  ],
  ["AP-65 CUSTOM with ports", custom("to: [{operation: {paths: [/a], ports: ['80']}}]")],
  [
    "AP-65 CUSTOM with a port in when",
    custom("to: [{operation: {paths: [/a]}}], when: [{key: destination.port, values: ['80']}]"),
  ],
  ["AP-65 CUSTOM without HTTP conditions", custom("from: [{source: {ipBlocks: [10.0.0.1]}}]")],
  ["AP-20 nothing, as is usual", "spec: {}"],
  ["AP-20 no rules", "spec: {rules: []}"],
  ["AP-42 a star at one end", operation("hosts: ['*.b.com'], paths: ['/a*']")],
  ["AP-42 a header", when("key: 'request.headers[accept]', values: ['text/*;q=1']")],
  ["AP-70 a template", operation("paths: ['/a/{*}/b']")],
  ["AP-45b with a positive field", source("notPrincipals: [a], namespaces: [b]")],
  [
    "AP-45b only concerns ALLOW",
    "spec: {action: DENY, rules: [{from: [{source: {notPrincipals: [a]}}]}]}",
  ],
  ["AP-90 a lone star", source("namespaces: ['*']")],
  ["VAL-34 a star", operation("methods: ['*']")],
];
for (const [name, spec] of quiet) {
  test(`${name}: ${JSON.stringify(spec)} gives no notice`, () => {
    assert.equal(parse(spec).resources.length, 1);
    assert.deepEqual(notices(spec), []);
  });
}

const dryRun: [action: string, value: string, outcome: "on trial" | "enforced" | "refused"][] = [
  ...["1", "t", "T", "TRUE", "true", "True"].map((value): [string, string, "on trial"] => [
    "ALLOW",
    value,
    "on trial",
  ]),
  ...["0", "f", "F", "FALSE", "false", "False"].map((value): [string, string, "enforced"] => [
    "ALLOW",
    value,
    "enforced",
  ]),
  ...["yes", "", "tRUE"].map((value): [string, string, "refused"] => ["ALLOW", value, "refused"]),
  ["DENY", "true", "on trial"],
  ["AUDIT", "true", "refused"],
  ["CUSTOM", "true", "refused"],
];
for (const [action, value, outcome] of dryRun) {
  test(`AP-110: ${action} with istio.io/dry-run "${value}" is ${outcome}`, () => {
    const provider = action === "CUSTOM" ? ", provider: {name: x}" : "";
    const text = `${HEAD.replace("shop}", `shop,\n  annotations: {istio.io/dry-run: "${value}"}}`)}
spec: {action: ${action}, rules: [{}]${provider}}`;
    const { resources, issues: found } = parseResources(text, "mesh.yaml");
    const [policy] = resources;
    if (outcome === "refused") {
      const [issue] = found;
      assert.equal(issue?.path, 'metadata.annotations["istio.io/dry-run"]');
      assert.equal(issue.source.line, 4);
      assert.equal(issue.level, "webhook");
    } else {
      assert.deepEqual(found, []);
      assert.equal(policy?.kind === "AuthorizationPolicy" && policy.dryRun, outcome === "on trial");
    }
  });
}

const ownDryRun: [action: string, value: string, outcome: "on trial" | "enforced" | "refused"][] = [
  ["CUSTOM", "true", "on trial"],
  ["CUSTOM", "false", "enforced"],
  ["CUSTOM", "True", "refused"],
  ["DENY", "true", "refused"],
  ["ALLOW", "false", "refused"],
];
for (const [action, value, outcome] of ownDryRun) {
  test(`AP-113: ${action} with hauberk.dev/dry-run "${value}" is ${outcome}`, () => {
    const provider = action === "CUSTOM" ? ", provider: {name: x}" : "";
    const annotations = `shop,\n  annotations: {hauberk.dev/dry-run: "${value}"}}`;
    const text = `${HEAD.replace("shop}", annotations)}
spec: {action: ${action}, rules: [{}]${provider}}`;
    const { resources, issues: found } = parseResources(text, "mesh.yaml");
    const [policy] = resources;
    if (outcome === "refused") {
      assert.equal(found.length, 1);
      assert.equal(found[0]?.path, 'metadata.annotations["hauberk.dev/dry-run"]');
      assert.equal(found[0]?.source.line, 4);
    } else {
      assert.deepEqual(found, []);
      assert.equal(policy?.kind === "AuthorizationPolicy" && policy.dryRun, outcome === "on trial");
    }
  });
}

const levels: [what: string, spec: string, level: "schema" | "webhook" | undefined][] = [
  ["AP-97: what only we refuse", when("key: 'request.headersX[a]', values: [a]"), undefined],
  ["a field without values", source("principals: [], namespaces: [a]"), undefined],
  ["VAL-31: what istiod refuses", when("key: key1, values: [a]"), "webhook"],
  ["VAL-29: what istiod refuses", operation("paths: ['/{a}']"), "webhook"],
  ["VAL-2: what the schema refuses", source("principal: [a]"), "schema"],
];
for (const [what, spec, level] of levels) {
  test(`${what} has the level ${level}`, () => {
    assert.deepEqual(
      parse(spec).issues.map((issue) => issue.level),
      [level],
    );
  });
}

test("VAL-30 is istiod's warning, VAL-34 is ours", () => {
  const { notices: told } = parse(
    "spec: {action: DENY, rules: [{to: [{operation: {methods: [get]}}]}]}",
  );
  assert.deepEqual(
    told.map(({ path, level }) => [path, level]),
    [
      ["spec.rules[0]", "webhook"],
      ["spec.rules[0].to[0].operation.methods[0]", undefined],
    ],
  );
});
