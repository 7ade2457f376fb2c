/** What must hold for every set of policies and every request, whatever they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clusterTrust, connectionFrom, requestOn } from "../../test/kit/mesh-parts.ts";
import type { AuthorizationRule } from "../api/authorization-policy.ts";
import { authorizeConnection, authorizeRequest, compileAuthorization } from "./authorize.ts";
import type { Decision } from "./decision.ts";
import { explain, summarize } from "./explain.ts";
import type { AppliedPolicy } from "./workload-view.ts";

const values = (...some: string[]): fc.Arbitrary<string[]> => fc.subarray(some, { minLength: 1 });
const optional = { requiredKeys: [] };
const principals = values("*", "*/sa/a", "cluster.local/ns/x/sa/a", "cluster.local/*");
const namespaces = values("x", "y", "*x", "*");
const addresses = values("10.0.0.0/8", "10.0.0.1", "fd00::/8", "nonsense");
const source = fc.record(
  {
    principals,
    notPrincipals: principals,
    namespaces,
    notNamespaces: namespaces,
    ipBlocks: addresses,
    notIpBlocks: addresses,
    notRequestPrincipals: values("*"),
  },
  optional,
);
const methods = values("GET", "PUT", "*");
const paths = values("/a", "/a*", "/{*}", "/{**}", "*");
const ports = values("8080", "9090");
const operation = fc.record(
  {
    methods,
    notMethods: methods,
    paths,
    notPaths: paths,
    ports,
    notPorts: ports,
    hosts: values("api", "*", "*.x"),
  },
  optional,
);
const condition = fc.record({
  key: fc.constantFrom("request.headers[x]", "source.namespace", "connection.sni", "unknown"),
  values: fc.subarray(["a", "b*", "x"]),
  notValues: fc.subarray(["*", "b"]),
});
const rule: fc.Arbitrary<AuthorizationRule> = fc.record({
  line: fc.constant(1),
  from: fc.array(source, { maxLength: 2 }),
  to: fc.array(operation, { maxLength: 2 }),
  when: fc.array(condition, { maxLength: 2 }),
});
const policy: fc.Arbitrary<AppliedPolicy> = fc.record({
  ref: fc.record({
    kind: fc.constant("AuthorizationPolicy"),
    namespace: fc.constantFrom("x", "istio-system"),
    name: fc.uuid(),
  }),
  source: fc.constant({ file: "p.yaml", line: 1 }),
  action: fc.constantFrom("ALLOW", "DENY"),
  rules: fc.array(rule, { maxLength: 4 }),
});
const policies = fc.array(policy, { maxLength: 5 });
const traffic = fc.record({
  principal: fc.constantFrom(
    "spiffe://cluster.local/ns/x/sa/a",
    "spiffe://cluster.local/ns/y/sa/b",
    "plaintext",
  ),
  sourceAddress: fc.constantFrom("10.0.0.1", "fd00::1", "127.0.0.1"),
  method: fc.constantFrom("GET", "PUT", "POST"),
  path: fc.constantFrom("/a", "/a/b", "/?q"),
  header: fc.constantFrom("a", "b", ""),
});
type Traffic = typeof traffic extends fc.Arbitrary<infer T> ? T : never;

/** A broken law is worth a few seconds of looking for its simplest case, and no more. */
const LIMITS = { interruptAfterTimeLimit: 10_000, markInterruptAsFailure: true } as const;
const PROTOCOLS = ["http", "tcp"] as const;

function decide(
  given: readonly AppliedPolicy[],
  { protocol, asked }: { readonly protocol: "http" | "tcp"; readonly asked: Traffic },
): Decision {
  const authorization = {
    custom: [],
    audit: [],
    deny: given.filter(({ action }) => action === "DENY"),
    allow: given.filter(({ action }) => action === "ALLOW"),
  };
  const compiled = compileAuthorization(authorization, { protocol, trust: clusterTrust });
  const connection = connectionFrom(asked.principal, { sourceAddress: asked.sourceAddress });
  if (protocol === "tcp") return authorizeConnection(compiled, connection);
  const { method, path, header } = asked;
  return authorizeRequest(
    compiled,
    requestOn(connection, { method, path, headers: { x: header } }),
  );
}

for (const protocol of PROTOCOLS) {
  test(`law: adding a DENY policy never allows more (${protocol})`, () => {
    fc.assert(
      fc.property(policies, policy, traffic, (given, added, asked) => {
        const deny: AppliedPolicy = { ...added, action: "DENY" };
        const before = decide(given, { protocol, asked }).verdict;
        const after = decide([...given, deny], { protocol, asked }).verdict;
        assert.ok(before === after || after === "deny");
      }),
      LIMITS,
    );
  });

  test(`law: the order of policies changes neither verdict nor reason (${protocol})`, () => {
    fc.assert(
      fc.property(policies, traffic, (given, asked) => {
        const { verdict, reason } = decide(given, { protocol, asked });
        const reversed = decide([...given].reverse(), { protocol, asked });
        assert.equal(reversed.verdict, verdict);
        assert.equal(reversed.reason.because, reason.because);
        if ("matched" in reason) assert.deepEqual(reversed.reason, reason);
      }),
      LIMITS,
    );
  });

  test(`law: a refused caller is told at most three misses, each with what failed (${protocol})`, () => {
    let refusals = 0;
    fc.assert(
      fc.property(policies, traffic, (given, asked) => {
        const { reason } = decide(given, { protocol, asked });
        if (reason.because !== "no-allow-matched") return;
        refusals++;
        assert.ok(reason.nearest.length <= 3);
        assert.ok(reason.nearest.every(({ unmet }) => unmet.length > 0));
      }),
      LIMITS,
    );
    assert.ok(refusals > 0);
  });

  test(`law: every decision can be explained, and survives JSON (${protocol})`, () => {
    fc.assert(
      fc.property(policies, traffic, (given, asked) => {
        const decision = decide(given, { protocol, asked });
        const text = JSON.stringify(decision);
        const copy = JSON.parse(text) as Decision;
        assert.equal(JSON.stringify(copy), text);
        assert.equal(explain(copy), explain(decision));
        assert.ok(explain(decision).length > 10 && summarize(decision.reason).length > 3);
      }),
      LIMITS,
    );
  });
}

test("law: what TCP lets through, HTTP rules of the same policies that ask for no HTTP let through too", () => {
  fc.assert(
    fc.property(policies, traffic, (given, asked) => {
      const plain = given.map((each) => ({
        ...each,
        rules: each.rules.map(({ line, from, to }) => ({
          line,
          from: from.map(({ notRequestPrincipals: _token, ...rest }) => rest),
          to: to.map(({ ports: some = ["8080"], notPorts = [] }) => ({ ports: some, notPorts })),
          when: [],
        })),
      }));
      const [http, tcp] = PROTOCOLS.map((protocol) => decide(plain, { protocol, asked }));
      assert.equal(http?.verdict, tcp?.verdict);
    }),
    LIMITS,
  );
});

test("law: what is taken for bytes may do no more than what is taken for HTTP (AP-61, AP-62, PA-39)", () => {
  const seen = { allow: 0, deny: 0 };
  fc.assert(
    fc.property(policies, traffic, (given, asked) => {
      const [http, tcp] = PROTOCOLS.map((protocol) => decide(given, { protocol, asked }).verdict);
      if (tcp === "allow") assert.equal(http, "allow");
      if (http === "allow") seen[tcp === "allow" ? "allow" : "deny"]++;
    }),
    { ...LIMITS, numRuns: 1_000 },
  );
  assert.ok(seen.allow > 0 && seen.deny > 0, JSON.stringify(seen));
});
