import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { RateLimit } from "./rate-limit.ts";

const HEAD =
  "apiVersion: hauberk.dev/v1alpha1\nkind: RateLimit\nmetadata: {name: a, namespace: shop}\n";

function read(spec: string): RateLimit {
  const { resources, issues } = parseResources(`${HEAD}${spec}`, "limits.yaml");
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "RateLimit");
  return resource;
}

function issuesOf(limit: string): string[] {
  const text = `${HEAD}spec:\n  limits:\n  - ${limit}\n`;
  const { issues } = parseResources(text, "limits.yaml");
  return issues.map(({ path, problem }) => `${path.replace("spec.limits[0].", "")} ${problem}`);
}

test("a limit as users write it", () => {
  const { selector, limits } = read(`
spec:
  selector: {matchLabels: {app: checkout}}
  limits:
    - name: writes
      match:
        - to: [{operation: {methods: [POST], paths: ["/orders/{*}"]}}]
          when: [{key: "request.auth.claims[tier]", notValues: [gold]}]
      requests: 100
      per: 1m
      burst: 20
      key:
        - source.principal
        - request.headers[X-Tenant]
        - request.auth.claims[a][b]
      scope: Global
      mode: Shadow
      whenUnavailable: Deny
      headers: Always
`);
  assert.deepEqual(selector, { app: "checkout" });
  assert.deepEqual(limits, [
    {
      line: 8,
      name: "writes",
      match: [
        {
          line: 10,
          from: [],
          to: [{ methods: ["POST"], paths: ["/orders/{*}"] }],
          when: [{ key: "request.auth.claims[tier]", values: [], notValues: ["gold"] }],
        },
      ],
      counts: "requests",
      amount: 100,
      perMs: 60_000,
      burst: 20,
      key: ["source.principal", "request.headers[X-Tenant]", "request.auth.claims[a][b]"],
      fair: false,
      scope: "Global",
      mode: "Shadow",
      whenUnavailable: "Deny",
      headers: "Always",
    },
  ]);
});

test("what is left out is said nowhere: everybody together, at once as much as in one period", () => {
  const { selector, limits } = read("spec: {limits: [{name: all, requests: 5, per: 1.5s}]}");
  assert.deepEqual(selector, {});
  const [limit] = limits;
  assert.deepEqual(
    [limit?.match, limit?.burst, limit?.perMs, limit?.key, limit?.fair, limit?.scope, limit?.mode],
    [[], 5, 1_500, [], false, "Local", "Enforce"],
  );
  assert.deepEqual([limit?.whenUnavailable, limit?.headers], ["Local", "WhenRefused"]);
});

test("connections that last have no period", () => {
  const { limits } = read("spec: {limits: [{name: open, openConnections: 7, key: [source.ip]}]}");
  assert.deepEqual(
    limits.map(({ counts, amount, perMs, burst }) => [counts, amount, perMs, burst]),
    [["openConnections", 7, 0, 7]],
  );
});

const faults: [limit: string, issues: string[]][] = [
  ["{requests: 1, per: 1s}", ["name is missing"]],
  [
    "{name: A_b, requests: 1, per: 1s}",
    [
      'name "A_b" is not a DNS label: 1 to 63 lower case letters, digits and "-", no "-" at either end',
    ],
  ],
  [
    "{name: a, per: 1s}",
    [
      "spec.limits[0] must say what is counted: one of requests, connections, openConnections is needed",
    ],
  ],
  [
    "{name: a, requests: 1, connections: 1, per: 1s}",
    ["connections must not be given together with requests: write two limits"],
  ],
  ["{name: a, requests: 1}", ["per is missing"]],
  [
    "{name: a, requests: 0, per: 999ms}",
    [
      "requests is the number 0; expected a whole number from 1 to 1000000000",
      'per must be a duration from "1s" to "744h", in whole milliseconds, such as "1m"',
    ],
  ],
  [
    "{name: a, requests: 1, per: 1s, burst: 0}",
    ["burst is the number 0; expected a whole number from 1 to 1000000000"],
  ],
  [
    "{name: a, openConnections: 1, per: 1s, burst: 1}",
    [
      "per must not be given: openConnections are no rate",
      "burst must not be given: openConnections are no rate",
    ],
  ],
  [
    "{name: a, connections: 1, per: 1s, scope: Global, fair: true, headers: Never}",
    [
      "scope Global limits count requests only",
      "fair is for limits of requests only",
      "headers is for limits of requests only",
    ],
  ],
  [
    "{name: a, requests: 1, per: 1s, whenUnavailable: Deny}",
    ["whenUnavailable is for limits with scope Global only"],
  ],
  [
    "{name: a, requests: 1, per: 1s, fair: true, key: [source.ip]}",
    ["fair must not be given together with key, which gives to each what fair shares"],
  ],
  [
    "{name: a, requests: 1, per: 1s, match: [], key: []}",
    [
      "match must have at least one item, or be left out",
      "key must have at least one item, or be left out",
    ],
  ],
  ["{name: a, requests: 1, per: 1s, key: [source.ip, source.ip]}", ["key[1] is given twice"]],
  [
    "{name: a, requests: 1, per: 1s, key: [source.principle]}",
    [
      'key[0] "source.principle" is nothing that can be counted apart; did you mean source.principal?',
    ],
  ],
  [
    "{name: a, connections: 1, per: 1s, key: [request.path], match: [{to: [{operation: {methods: [GET]}}]}]}",
    [
      "match[0] asks about requests; connections have none",
      "key[0] is of requests; connections have none",
    ],
  ],
  [
    '{name: a, requests: 1, per: 1s, match: [{to: [{operation: {paths: ["/{"], verbs: [a]}}]}]}',
    [
      'match[0].to[0].operation.paths[0] segment "{" has a brace; an operator is {*} or {**} and stands alone in its segment',
      "match[0].to[0].operation.verbs is not a known field",
    ],
  ],
];
for (const [limit, issues] of faults) {
  test(`a faulty limit: ${limit}`, () => assert.deepEqual(issuesOf(limit).sort(), issues.sort()));
}

test("a resource without limits, or with two of one name, is refused with its lines", () => {
  const none = parseResources(`${HEAD}spec: {}`, "a.yaml").issues;
  assert.deepEqual(
    none.map(({ path, problem }) => `${path} ${problem}`),
    ["spec.limits must have at least one limit"],
  );
  const twice = parseResources(
    `${HEAD}spec:\n  limits:\n  - {name: a, requests: 1, per: 1s}\n  - {name: a, requests: 1, per: 1s}`,
    "a.yaml",
  ).issues;
  assert.deepEqual(twice, [
    {
      source: { file: "a.yaml", line: 7 },
      path: "spec.limits[1].name",
      problem: '"a" is given twice',
    },
  ]);
});

const parts = [
  ["source.namespace", undefined],
  ["request.headers[:authority]", /did you mean request.headers\[name\]/],
  ["request.headers[a b]", /did you mean request.headers\[name\]/],
  ["request.auth.claims", /did you mean request.auth.claims\[name\]/],
  ["request.auth.claims[a]b", /did you mean/],
  ["nonsense", /expected one of source.principal, /],
] as const;
for (const [part, problem] of parts) {
  test(`a key by ${part}`, () => {
    const [issue] = issuesOf(`{name: a, requests: 1, per: 1s, key: ["${part}"]}`);
    if (problem === undefined) assert.equal(issue, undefined);
    else assert.match(issue ?? "", problem);
  });
}

test("what the guide and the example show is read without a fault", () => {
  const guide = readFileSync("docs/guides/rate-limits.md", "utf8");
  const [whole = "", fair = ""] = [...guide.matchAll(/```yaml\n([^`]+)```/g)].map(
    ([, yaml]) => yaml,
  );
  const texts = [whole, whole + fair, readFileSync("examples/rate-limits/limits.yaml", "utf8")];
  for (const text of texts) {
    const { resources, issues, notices } = parseResources(text, "guide.yaml");
    assert.deepEqual([issues, notices], [[], []]);
    assert.equal(resources.length, 1);
  }
});
