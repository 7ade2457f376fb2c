/** What the index finds is what trying every rule finds, however many rules there are and whoever else is meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clusterTrust,
  connectionFrom,
  type RequestParts,
  requestOn,
} from "../../../test/kit/mesh-parts.ts";
import type { AuthorizationAction, AuthorizationRule } from "../../api/authorization-policy.ts";
import { type CompiledRule, compileRule, matchesRule } from "../authorization-rule.ts";
import { PeerRules } from "./peer-rules.ts";
import { NO_RULE } from "./rule-index.ts";

const values = (...some: string[]): fc.Arbitrary<string[]> =>
  fc.subarray(some, { minLength: 1, maxLength: Math.min(3, some.length) });
const optional = { requiredKeys: [] };
const principals = values(
  "*",
  "*/sa/a",
  "cluster.local/ns/x/sa/a",
  "cluster.local/ns/y/sa/b",
  "cluster.local/ns/x/*",
);
const source = fc.record(
  {
    principals,
    notPrincipals: principals,
    namespaces: values("x", "y", "*x", "z"),
    notNamespaces: values("x", "z"),
    serviceAccounts: values("a", "x/a", "y/b", "z/a"),
    trustDomains: values("cluster.local", "*.local", "other"),
    ipBlocks: values("10.0.0.0/8", "10.0.0.1", "fd00::/8", "0.0.0.0/0"),
    requestPrincipals: values("i/s", "*", "i/*", "*s", "i"),
  },
  optional,
);
const paths = values("/a", "/a*", "/a/b*", "/a/b", "*b", "*/b", "/{*}", "/a/{**}", "/{**}/b", "*");
const operation = fc.record(
  {
    methods: values("GET", "PUT", "*"),
    paths,
    notPaths: paths,
    ports: values("8080", "08080", "9090"),
    hosts: values("api", "API:8080", "*", "*.x", "a*"),
  },
  optional,
);
const condition = fc.record({
  key: fc.constantFrom(
    "request.headers[x]",
    "request.headers[:path]",
    "source.namespace",
    "source.principal",
    "connection.sni",
    "request.auth.claims[g]",
    "unknown",
  ),
  values: fc.subarray(["a", "b*", "x", "*"], { maxLength: 2 }),
  notValues: fc.subarray(["b", "y"], { maxLength: 1 }),
});
const rule: fc.Arbitrary<AuthorizationRule> = fc.record({
  line: fc.constant(1),
  from: fc.array(source, { maxLength: 5 }),
  to: fc.array(operation, { maxLength: 5 }),
  when: fc.array(condition, { maxLength: 2 }),
});
const PEERS = [
  "spiffe://cluster.local/ns/x/sa/a",
  "spiffe://cluster.local/ns/y/sa/b",
  "spiffe://other/ns/z/sa/a",
  "plaintext",
];
const request = fc.record({
  principal: fc.constantFrom(...PEERS),
  sourceAddress: fc.constantFrom("10.0.0.1", "fd00::1", "127.0.0.1"),
  method: fc.constantFrom("GET", "PUT", "POST"),
  path: fc.constantFrom("/a", "/a/b", "/a/b?q", "/ab", "/?b", "/c"),
  authority: fc.constantFrom("api", "API:8080", "y.x"),
  headers: fc.constantFrom<Record<string, string>>({}, { x: "a" }, { x: "bb" }, { x: "" }),
  token: fc.constantFrom({}, { iss: "i", sub: "s", g: ["a", "x"] }, { g: "b" }),
});

function compile(rules: readonly AuthorizationRule[], action: AuthorizationAction): CompiledRule[] {
  return rules.map((one, index) => {
    const ref = {
      policy: { kind: "AuthorizationPolicy", namespace: "x", name: "p" },
      rule: index,
      source: { file: "p.yaml", line: 1 },
    };
    const context = { protocol: "http", trust: clusterTrust, namespace: "x" } as const;
    return compileRule(one, { ...context, action, ref });
  });
}

type Asked = typeof request extends fc.Arbitrary<infer T> ? T : never;

function traffic({ principal, sourceAddress, ...parts }: Asked) {
  return requestOn(connectionFrom(principal, { sourceAddress }), parts);
}

function find(compiled: readonly CompiledRule[], asked: Asked): number {
  const rules = new PeerRules(compiled);
  const judged = traffic(asked);
  return rules.bind(judged.connection).firstMatch(judged);
}

const actions = fc.constantFrom<AuthorizationAction>("ALLOW", "DENY");

test("law: the first rule found is the first that matches when all are tried (AP-35)", () => {
  const outcomes = { found: 0, none: 0 };
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 30 }), actions, request, (rules, action, asked) => {
      const compiled = compile(rules, action);
      const judged = traffic(asked);
      const tried = compiled.findIndex((one) => matchesRule(one, judged));
      assert.equal(find(compiled, asked), tried < 0 ? NO_RULE : tried);
      outcomes[tried < 0 ? "none" : "found"]++;
    }),
    { numRuns: 300 },
  );
  assert.ok(outcomes.found > 20 && outcomes.none > 20, JSON.stringify(outcomes));
});

test("law: rules for other peers change no answer, though they change what is shared and what is copied", () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 5 }),
      request,
      fc.integer({ min: 1, max: 400 }),
      (rules, asked, count) => {
        const others = Array.from({ length: count }, (_, index) => ({
          line: 1,
          from: [
            index % 2 === 0
              ? { principals: [`cluster.local/ns/w/sa/s${index}`] }
              : { namespaces: ["w"] },
          ],
          to: [{ paths: [`/a/${index}`] }],
          when: [],
        }));
        const compiled = compile(rules, "ALLOW");
        const more = [...compiled, ...compile(others, "ALLOW")];
        assert.equal(find(more, asked), find(compiled, asked));
      },
    ),
  );
});

test("law: with hundreds of rules that every peer can match, the first is still the one that is found", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), request, (rules, asked) => {
      const crowd = Array.from({ length: 300 }, (_, index) => ({
        line: 1,
        from: [{ notNamespaces: ["w"] }],
        to: [{ paths: [`/a/${index % 7}*`], hosts: [`h${index}`] }],
        when: [{ key: "request.headers[x]", values: [`v${index % 3}`], notValues: [] }],
      }));
      const compiled = compile([...crowd, ...rules], "ALLOW");
      const judged = traffic(asked);
      const tried = compiled.findIndex((one) => matchesRule(one, judged));
      assert.equal(find(compiled, asked), tried < 0 ? NO_RULE : tried);
    }),
  );
});

const crossings: [what: string, asked: RequestParts, matches: boolean][] = [
  ["the first of both", { remoteAddress: "10.1.0.0", path: "/0" }, true],
  ["the last of both", { remoteAddress: "10.1.0.63", path: "/63" }, true],
  ["one of each", { remoteAddress: "10.1.0.63", path: "/7" }, true],
  ["of the operations none", { remoteAddress: "10.1.0.7", path: "/64" }, false],
  ["of an operation a part", { remoteAddress: "10.1.0.7", path: "/7", method: "PUT" }, false],
  ["of the sources none", { remoteAddress: "10.1.0.64", path: "/7" }, false],
];
for (const [what, asked, matches] of crossings) {
  test(`AP-30 a rule of so many alternatives that they are not multiplied: ${what}`, () => {
    const numbers = Array.from({ length: 64 }, (_, index) => index);
    const rules = [
      {
        line: 1,
        from: numbers.map((number) => ({ remoteIpBlocks: [`10.1.0.${number}`] })),
        to: numbers.map((number) => ({ paths: [`/${number}`], methods: ["GET"] })),
        when: [],
      },
    ];
    const peerRules = new PeerRules(compile(rules, "ALLOW"));
    const judged = requestOn(connectionFrom(PEERS[0] ?? ""), asked);
    assert.equal(peerRules.bind(judged.connection).firstMatch(judged), matches ? 0 : NO_RULE);
  });
}

test("one rule of ten thousand is found", () => {
  const rules = Array.from({ length: 10_000 }, (_, index) => ({
    line: 1,
    from: [],
    to: [{ paths: [`/p/${index}/*`], methods: ["GET"] }],
    when: [],
  }));
  const asked = { path: "/p/7777/x", method: "GET" };
  const compiled = compile(rules, "ALLOW");
  const judged = requestOn(connectionFrom(PEERS[0] ?? ""), asked);
  const peerRules = new PeerRules(compiled);
  assert.equal(peerRules.bind(judged.connection).firstMatch(judged), 7_777);
});
