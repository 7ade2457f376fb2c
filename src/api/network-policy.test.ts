import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkPolicy } from "./network-policy.ts";
import { parseResources } from "./parse-resources.ts";

const HEAD = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);

type Spec = Pick<NetworkPolicy, "podSelector" | "directions" | "ingress" | "egress">;
const everything = { matchLabels: {}, matchExpressions: [] };
const none: Spec = { podSelector: everything, directions: ["ingress"], ingress: [], egress: [] };
const api = { matchLabels: { app: "api" }, matchExpressions: [] };
const line = 4;
const valid: [what: string, spec: string, Spec][] = [
  ["no spec isolates every pod", "", none],
  ["an empty selector", "spec: {podSelector: {}}", none],
  [
    "egress rules isolate for egress too",
    "spec: {podSelector: {}, egress: [{}]}",
    { ...none, directions: ["ingress", "egress"], egress: [{ peers: [], ports: [], line }] },
  ],
  ["empty policyTypes are as good as none", "spec: {podSelector: {}, policyTypes: []}", none],
  [
    "policyTypes alone decide",
    "spec: {podSelector: {}, policyTypes: [Egress]}",
    { ...none, directions: ["egress"] },
  ],
  [
    "policyTypes in any order, twice the same",
    "spec: {podSelector: {}, policyTypes: [Egress, Egress]}",
    { ...none, directions: ["egress"] },
  ],
  [
    "peers of every kind",
    "spec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}, {namespaceSelector: {}}, {podSelector: {}, namespaceSelector: {matchExpressions: [{key: env, operator: NotIn, values: [dev, '']}]}}, {ipBlock: {cidr: 10.1.2.3/8, except: [10.1.0.0/16, 10.2.3.4/32]}}, {ipBlock: {cidr: 'fd00::/8', except: ['fd00::/9']}}]}]}",
    {
      ...none,
      podSelector: api,
      ingress: [
        {
          peers: [
            { kind: "pods", podSelector: api, line },
            { kind: "pods", namespaceSelector: everything, line },
            {
              kind: "pods",
              podSelector: everything,
              namespaceSelector: {
                matchLabels: {},
                matchExpressions: [{ key: "env", operator: "NotIn", values: ["dev", ""] }],
              },
              line,
            },
            { kind: "block", cidr: "10.1.2.3/8", except: ["10.1.0.0/16", "10.2.3.4/32"], line },
            { kind: "block", cidr: "fd00::/8", except: ["fd00::/9"], line },
          ],
          ports: [],
          line,
        },
      ],
    },
  ],
  [
    "ports of every kind",
    "spec: {podSelector: {}, ingress: [{ports: [{}, {protocol: UDP}, {port: 80}, {port: web, protocol: SCTP}, {port: 80, endPort: 80}, {port: 1, endPort: 65535}]}]}",
    {
      ...none,
      ingress: [
        {
          peers: [],
          ports: [
            { protocol: "TCP", line },
            { protocol: "UDP", line },
            { protocol: "TCP", port: 80, line },
            { protocol: "SCTP", port: "web", line },
            { protocol: "TCP", port: 80, endPort: 80, line },
            { protocol: "TCP", port: 1, endPort: 65_535, line },
          ],
          line,
        },
      ],
    },
  ],
  ["a selector that is null is none", "spec:\n  podSelector:\nstatus: {}", none],
];
for (const [what, spec, expected] of valid) {
  test(`NetworkPolicy: ${what}`, () => {
    const { resources, issues: found, notices } = parse(spec);
    assert.deepEqual(found, []);
    assert.deepEqual(notices, []);
    const [policy] = resources;
    assert.ok(policy?.kind === "NetworkPolicy");
    const { podSelector, directions, ingress, egress } = policy;
    assert.deepEqual({ podSelector, directions, ingress, egress }, expected);
    assert.deepEqual(JSON.parse(JSON.stringify(policy)), policy, "it can travel as JSON");
  });
}

const rule = (text: string): string => `spec:\n  podSelector: {}\n  ingress:\n  - ${text}`;
const invalid: [what: string, spec: string, RegExp][] = [
  [
    "a field that is not known",
    "spec: {podSelector: {}, ingres: []}",
    /^4 spec\.ingres: is not a known field; did you mean ingress\?$/,
  ],
  [
    "from among egress",
    "spec: {podSelector: {}, egress: [{from: []}]}",
    /^4 spec\.egress\[0\]\.from: is not a known field/,
  ],
  [
    "a type that is none",
    "spec: {policyTypes: [ingress]}",
    /^4 spec\.policyTypes\[0\]: is "ingress"; expected one of Ingress, Egress$/,
  ],
  [
    "three types",
    "spec: {policyTypes: [Ingress, Egress, Ingress]}",
    /^4 spec\.policyTypes: must not have more than two items$/,
  ],
  ["an empty peer", rule("from: [{}]"), /^7 spec\.ingress\[0\]\.from\[0\]: names no peer/],
  [
    "a peer of null",
    rule("from: [{podSelector: null}]"),
    /^7 spec\.ingress\[0\]\.from\[0\]: names no peer/,
  ],
  [
    "a block and a selector",
    rule("from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]"),
    /^7 spec\.ingress\[0\]\.from\[0\]: must not have ipBlock together with podSelector/,
  ],
  ["a block without a range", rule("from: [{ipBlock: {}}]"), /^7 .*\.ipBlock\.cidr: is missing$/],
  ...["10.0.0.1", "10.0.0.0/33", "nonsense/8", "10.0.0/8", "fe80::1%eth0/64"].map(
    (cidr): [string, string, RegExp] => [
      `the range ${cidr}`,
      rule(`from: [{ipBlock: {cidr: '${cidr}'}}]`),
      /^7 .*\.ipBlock\.cidr: ".*" is not a range of addresses/,
    ],
  ),
  [
    "IPv4 in the clothes of IPv6",
    rule("from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]"),
    /^7 .*\.cidr: "::ffff:10\.0\.0\.0\/104" is a range of IPv4 addresses written as IPv6/,
  ],
  ...["10.0.0.0/8", "0.0.0.0/0", "11.0.0.0/16", "fd00::/16"].map(
    (except): [string, string, RegExp] => [
      `${except} carved out of 10.0.0.0/8`,
      rule(`from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['${except}']}}]`),
      /^7 .*\.except\[0\]: ".*" is not a part of 10\.0\.0\.0\/8$/,
    ],
  ),
  [
    "an expression without an operator",
    "spec: {podSelector: {matchExpressions: [{key: a}]}}",
    /^4 spec\.podSelector\.matchExpressions\[0\]\.operator: is missing; expected one of In/,
  ],
  [
    "an operator that is none",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: in}]}}",
    /^4 .*\.operator: is "in"; expected one of In, NotIn, Exists, DoesNotExist$/,
  ],
  [
    "In without values",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: In, values: []}]}}",
    /^4 .*\.values: must not be empty with operator In$/,
  ],
  [
    "Exists with values",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
    /^4 .*\.values: must be left out with operator Exists$/,
  ],
  [
    "a label that is none",
    "spec: {podSelector: {matchLabels: {app: 'a b'}}}",
    /^4 spec\.podSelector\.matchLabels\.app: "a b" is not a label value/,
  ],
  ["port 0", rule("ports: [{port: 0}]"), /^7 .*\.port: is the number 0; expected a whole number/],
  [
    "a number in quotes",
    rule("ports: [{port: '80'}]"),
    /^7 spec\.ingress\[0\]\.ports\[0\]\.port: "80" is not a port name/,
  ],
  ["a protocol that is none", rule("ports: [{protocol: ICMP}]"), /^7 .*\.protocol: is "ICMP"/],
  [
    "a range that ends before it begins",
    rule("ports: [{port: 90, endPort: 80}]"),
    /^7 .*\.endPort: is 80; expected at least 90, the value of port$/,
  ],
  [
    "a range without a beginning",
    rule("ports: [{endPort: 80}]"),
    /^7 .*\.endPort: must not be given without port$/,
  ],
  [
    "a range from a name",
    rule("ports: [{port: web, endPort: 80}]"),
    /^7 .*\.endPort: must not be given with a named port$/,
  ],
];
for (const [what, spec, issue] of invalid) {
  test(`NetworkPolicy: ${what} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(spec).resources, []);
  });
}

test("NetworkPolicy: every issue is told at once", () => {
  const spec = "spec:\n  policyTypes: [x]\n  ingress:\n  - from: [{}]\n    ports: [{port: 0}]";
  assert.equal(issues(spec).length, 3);
});

const told: [what: string, spec: string, notice: string][] = [
  [
    "egress: [] without policyTypes, which isolates nobody",
    "spec: {podSelector: {}, egress: []}",
    "spec.egress is empty, and without policyTypes only rules isolate pods in this direction: nothing is refused; add Egress to policyTypes",
  ],
  [
    "rules for a direction that policyTypes leave out",
    "spec: {podSelector: {}, policyTypes: [Ingress], egress: [{}]}",
    "spec.egress has no effect, as policyTypes does not list Egress: nothing is refused; add Egress to policyTypes",
  ],
  [
    "an empty from",
    "spec: {podSelector: {}, ingress: [{from: []}]}",
    "spec.ingress[0].from is empty, so this rule admits everybody; leave it out if that is meant",
  ],
  [
    "ports of null",
    "spec: {podSelector: {}, ingress: [{ports: null}]}",
    "spec.ingress[0].ports is empty, so this rule opens every port; leave it out if that is meant",
  ],
];
for (const [what, spec, notice] of told) {
  test(`NetworkPolicy: told is ${what}`, () => {
    const { notices, issues: found, resources } = parse(spec);
    assert.deepEqual(found, []);
    assert.equal(resources.length, 1);
    assert.deepEqual(
      notices.map(({ path, message }) => `${path} ${message}`),
      [notice],
    );
  });
}
