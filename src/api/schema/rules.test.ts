import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type RuleValue, ruleHolds } from "./cel-rule.ts";
import * as networkRules from "./network-rules.ts";
import type { Rule } from "./rule.ts";
import * as rules from "./rules.ts";

const RULES: Readonly<Record<string, Rule>> = { ...rules, ...networkRules };

/** A value as YAML would have it: whole numbers are integers. */
type Written = string | number | readonly Written[] | { readonly [key: string]: Written };

function ruleValueOf(value: Written): RuleValue {
  if (typeof value === "string") return value;
  if (typeof value === "number") return BigInt(value);
  if (Array.isArray(value)) return value.map(ruleValueOf);
  return new Map(Object.entries(value).map(([key, inner]) => [key, ruleValueOf(inner)]));
}

const table: { readonly [rule: string]: { readonly holds: Written[]; readonly fails: Written[] } } =
  {
    DURATION: {
      holds: ["1ms", "5s", "1h30m", "0.5s", ".5s", "2h", "1000us"],
      fails: ["", "0", "0s", "999us", "-5s", "5", "1d", "5 s", "5e3s", "s"],
    },
    PORT: { holds: [1, 80, 65_535], fails: [0, -1, 65_536] },
    PORT_KEY: {
      holds: ["1", "080", "65535", "+80"],
      fails: ["0", "65536", "", "http", "0x50", " 80", "8.0", "-1"],
    },
    PORT_NAME: {
      holds: ["http", "a", "Web-1", "a".repeat(62)],
      fails: ["", "-a", "a-", "a_b", "a.b", "a".repeat(63)],
    },
    NO_WILDCARD: { holds: ["", "a.b"], fails: ["*", "a*b"] },
    NOT_EMPTY: { holds: ["a"], fails: [""] },
    CERTAIN_HOST: { holds: ["a.com", "*.a.com"], fails: ["*"] },
    OWN_NAMESPACE: { holds: [""], fails: ["shop"] },
    HTTP_URL: {
      holds: ["http://a", "https://a.com/keys?x=y#z", "HTTPS://a", "http:opaque"],
      fails: [
        "",
        "a.com",
        "ftp://a",
        "/keys",
        "https://a b",
        "https://a:x",
        "http://[::1",
        "https://a/%zz",
      ],
    },
    MODULE_URL: {
      holds: ["oci://a/b:1", "file:///a", "http://a", "ghcr.io/a/b:latest", "a", "/a/b"],
      fails: ["fake://a", "s3://a/b"],
    },
    PROBE_SCHEME: { holds: ["", "HTTP", "HTTPS"], fails: ["http", "TCP"] },
    SELECTOR_OR_TARGETS: {
      holds: [{}, { selector: {} }, { targetRefs: [] }],
      fails: [
        { selector: {}, targetRefs: [] },
        { targetRef: {}, targetRefs: [] },
        { selector: {}, targetRef: {} },
      ],
    },
    WORKLOADS_OR_TARGETS: {
      holds: [{}, { workloadSelector: {} }, { targetRefs: [] }],
      fails: [{ workloadSelector: {}, targetRefs: [] }],
    },
    PORTS_NEED_SELECTOR: {
      holds: [{}, { portLevelMtls: {}, selector: { matchLabels: { a: "b" } } }],
      fails: [
        { portLevelMtls: {} },
        { portLevelMtls: {}, selector: {} },
        { portLevelMtls: {}, selector: { matchLabels: {} } },
      ],
    },
    SERVICE_ACCOUNTS_ALONE: {
      holds: [
        {},
        { serviceAccounts: [], notServiceAccounts: [] },
        { principals: [], namespaces: [] },
      ],
      fails: ["principals", "notPrincipals", "namespaces", "notNamespaces"].flatMap((other) => [
        { serviceAccounts: [], [other]: [] },
        { notServiceAccounts: [], [other]: [] },
      ]),
    },
    KEYS_OR_WHERE: {
      holds: [{}, { jwks: "" }, { jwksUri: "" }],
      fails: [
        { jwks: "", jwksUri: "" },
        { jwksUri: "", jwks_uri: "" },
      ],
    },
    VALUE_OR_HOST: {
      holds: [{ value: "a" }, { valueFrom: "HOST" }, { value: "a", valueFrom: "INLINE" }],
      fails: [{ value: "a", valueFrom: "HOST" }],
    },
    UPSERT_NEEDS_VALUE: {
      holds: [{}, { operation: "REMOVE" }, { operation: "UPSERT", value: "a" }],
      fails: [{ operation: "UPSERT" }, { operation: "UPSERT", value: "" }],
    },
    REMOVE_WITHOUT_VALUE: {
      holds: [{ value: "a" }, { operation: "REMOVE" }, { operation: "UPSERT", value: "a" }],
      fails: [{ operation: "REMOVE", value: "a" }],
    },
    WAYPOINT_CONTEXT: {
      holds: [{}, { context: "ANY" }, { context: "WAYPOINT", waypoint: {} }],
      fails: [{ waypoint: {} }, { context: "WAYPOINT" }, { context: "ANY", waypoint: {} }],
    },
    SOCKET_PATH: {
      holds: ["1.2.3.4", "", "unix:///a", "unix://@a"],
      fails: ["unix://a", "unix://./a", "unix://"],
    },
    SOCKET_IS_NO_FOLDER: { holds: ["a/", "unix:///a"], fails: ["unix:///a/"] },
    SOCKET_WITHOUT_PORTS: {
      holds: [{ ports: {} }, { address: "unix:///a" }, { address: "1.2.3.4", ports: {} }],
      fails: [{ address: "unix:///a", ports: { http: 80 } }],
    },
    ADDRESS_OR_NETWORK: {
      holds: [{ address: "" }, { network: "a" }],
      fails: [{}, { locality: "a" }],
    },
    DISTINCT_PORT_NUMBERS: {
      holds: [[], [{ number: 1 }, { number: 2 }]],
      fails: [[{ number: 1 }, { number: 2 }, { number: 1 }]],
    },
    SELECTOR_OR_ENDPOINTS: {
      holds: [{}, { endpoints: [] }, { workloadSelector: {} }],
      fails: [{ endpoints: [], workloadSelector: {} }],
    },
    BLOCKS_WITHOUT_RESOLUTION: {
      holds: [
        {},
        { addresses: ["10.0.0.0/8"] },
        { addresses: ["10.0.0.0/8"], resolution: "STATIC" },
        { addresses: ["10.0.0.1"], resolution: "DNS" },
      ],
      fails: [{ addresses: ["10.0.0.1", "10.0.0.0/8"], resolution: "DNS" }],
    },
    ENDPOINTS_WITH_RESOLUTION: {
      holds: [{}, { endpoints: [], resolution: "STATIC" }],
      fails: [{ endpoints: [] }, { endpoints: [], resolution: "NONE" }],
    },
    ONE_ROUND_ROBIN_ENDPOINT: {
      holds: [
        { endpoints: [{}, {}], resolution: "DNS" },
        { endpoints: [{}], resolution: "DNS_ROUND_ROBIN" },
      ],
      fails: [{ endpoints: [{}, {}], resolution: "DNS_ROUND_ROBIN" }],
    },
    CERTIFICATES_OR_CREDENTIALS: {
      holds: [{}, { tlsCertificates: [] }, { credentialNames: [] }],
      fails: [{ tlsCertificates: [], credentialNames: [] }],
    },
    ONE_OR_MORE_CREDENTIALS: {
      holds: [{}, { credentialName: "a" }, { credentialNames: [] }],
      fails: [{ credentialName: "a", credentialNames: [] }],
    },
  };

test("every rule is in the table", () => {
  assert.deepEqual(Object.keys(table).toSorted(), Object.keys(RULES).toSorted());
});

for (const [name, rule] of Object.entries(RULES)) {
  const { holds = [], fails = [] } = table[name] ?? {};
  test(`${name} holds, and does not`, () => {
    for (const value of holds)
      assert.ok(ruleHolds(rule, ruleValueOf(value)), JSON.stringify(value));
    for (const value of fails)
      assert.ok(!ruleHolds(rule, ruleValueOf(value)), JSON.stringify(value));
  });
}

for (const [name, rule] of Object.entries(RULES)) {
  const { about } = rule;
  if (about === undefined) continue;
  test(`law: ${name} holds where none of ${about.join(", ")} is given`, () => {
    const field = fc
      .constantFrom(
        "selector",
        "workloadSelector",
        "principals",
        "resolution",
        "valueFrom",
        "address",
      )
      .filter((one) => !about.includes(one));
    fc.assert(
      fc.property(
        fc.dictionary(field, fc.constantFrom("", "DNS", "HOST", "unix:///a")),
        (fields) => {
          assert.ok(ruleHolds(rule, ruleValueOf(fields)));
        },
      ),
    );
  });
}
