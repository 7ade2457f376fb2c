import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../test/kit/applied-rate-limit.ts";
import { idOf, inboundPort, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { decidedCall } from "./decided-call.ts";

const PORT = 15_006;
const LISTEN = inboundPort({ listen: PORT, application: 8_080 });

function viewWith(...policies: readonly ReturnType<typeof policy>[]): WorkloadView {
  return workloadView({ rootsPem: [], ports: [LISTEN], policies });
}

const TOLD = {
  start_time: "2026-11-23T10:00:00.000Z",
  reporter: "destination",
  protocol: "HTTP/1.1",
  method: "GET",
  path: "/orders",
  authority: "api:8080",
  response_code: 200,
  response_flags: "-",
  response_code_details: "via_upstream",
  connection_termination_details: null,
  upstream_transport_failure_reason: null,
  bytes_received: 0,
  bytes_sent: 12,
  duration: 3,
  request_id: "r-1",
  upstream_host: "127.0.0.1:8080",
  upstream_cluster: "inbound|8080||",
  downstream_local_address: `127.0.0.1:${PORT}`,
  downstream_remote_address: "127.0.0.1:40000",
  remote_address: "127.0.0.1",
  requested_server_name: "outbound_.8080_._.api.production.svc.cluster.local",
  source_principal: idOf("frontend"),
  destination_principal: idOf("api"),
};
const DENIED = {
  response_code: 403,
  response_flags: "UAEX",
  response_code_details: "rbac_access_denied_matched_policy[none]",
  upstream_host: null,
};
const NO_SERVICE = {
  reporter: "source",
  response_code: 502,
  response_code_details: "direct_response",
  upstream_cluster: null,
  upstream_host: null,
};

const readers = policy("ALLOW", "readers", {
  from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
  to: [{ methods: ["GET"] }],
});
const versioned = policy("ALLOW", "versioned", {
  to: [{ methods: ["GET"] }],
  when: [{ key: "request.headers[x-version]", values: ["v1"], notValues: [] }],
});
const nobody = policy("DENY", "nobody", { to: [{ paths: ["/admin"] }] });
const asking = { ...policy("CUSTOM", "asking", {}), provider: "opa" };

interface Row {
  readonly what: string;
  readonly told: Readonly<Record<string, unknown>>;
  readonly view: WorkloadView;
  /** Undefined: nobody decided. */
  readonly reason: Partial<Record<string, unknown>> | undefined;
  readonly verdict?: "allow" | "deny";
}

const ref = (name: string): object => ({
  kind: "AuthorizationPolicy",
  namespace: "production",
  name,
});

const ROWS: readonly Row[] = [
  {
    what: "what is let through, by the rule that matches",
    told: {},
    view: viewWith(readers),
    verdict: "allow",
    reason: { because: "matched-allow", matched: { policy: ref("readers"), rule: 0 } },
  },
  {
    what: "what is let through where nothing is said",
    told: {},
    view: viewWith(nobody),
    verdict: "allow",
    reason: { because: "no-allow-policy" },
  },
  {
    what: "what is let through by the one rule that wants nothing but a header",
    told: {},
    view: viewWith(versioned),
    verdict: "allow",
    reason: { because: "matched-allow", matched: { policy: ref("versioned"), rule: 0 } },
  },
  {
    what: "no rule, where two may have matched by what Envoy does not tell",
    told: {},
    view: viewWith(versioned, { ...versioned, ref: { ...versioned.ref, name: "other" } }),
    verdict: "allow",
    reason: { because: "told-by-envoy" },
  },
  {
    what: "what a DENY rule refuses, as Envoy names it (AP-34)",
    told: {
      ...DENIED,
      response_code_details:
        "rbac_access_denied_matched_policy[ns[production]-policy[nobody]-rule[0]]",
    },
    view: viewWith(readers, nobody),
    reason: { because: "matched-deny", matched: { policy: ref("nobody"), rule: 0 } },
  },
  {
    what: "a DENY rule that is gone again, in Envoy's words",
    told: {
      ...DENIED,
      response_code_details:
        "rbac_access_denied_matched_policy[ns[production]-policy[gone]-rule[0]]",
    },
    view: viewWith(readers),
    reason: {
      because: "told-by-envoy",
      details: "policy ns[production]-policy[gone]-rule[0] matched",
    },
  },
  {
    what: "what no rule lets through, with what is unmet",
    told: { ...DENIED, method: "DELETE" },
    view: viewWith(readers),
    reason: {
      because: "no-allow-matched",
      nearest: [{ unmet: [{ field: "to.operation.methods", expected: "GET", got: "DELETE" }] }],
    },
  },
  {
    what: "a header that Envoy does not tell, as such",
    told: DENIED,
    view: viewWith(versioned),
    reason: {
      because: "no-allow-matched",
      nearest: [
        {
          unmet: [{ field: "when request.headers[x-version]", got: "what Envoy does not tell" }],
        },
      ],
    },
  },
  {
    what: "the nearest as if what is not told were there",
    told: { ...DENIED, method: "DELETE" },
    view: viewWith(
      versioned,
      policy("ALLOW", "far", { to: [{ methods: ["PUT"], paths: ["/x"] }] }),
    ),
    reason: {
      because: "no-allow-matched",
      nearest: [
        { rule: { policy: ref("versioned") }, unmet: [{ field: "to.operation.methods" }] },
        { rule: { policy: ref("far") } },
      ],
    },
  },
  {
    what: "nothing nearest where our own judgement would be another: Envoy's verdict stands",
    told: DENIED,
    view: viewWith(readers),
    reason: { because: "no-allow-matched", nearest: [] },
  },
  {
    what: "a token (JWT-35)",
    told: {
      ...DENIED,
      response_code: 401,
      response_code_details: "jwt_authn_access_denied{Jwt_is_expired}",
    },
    view: viewWith(readers),
    reason: { because: "token-refused", problem: "Jwt is expired" },
  },
  {
    what: "an authorizer's no (EA-27)",
    told: { ...DENIED, response_code_details: "ext_authz_denied" },
    view: viewWith(readers, asking),
    reason: { because: "authorizer-denied", provider: "opa", matched: { policy: ref("asking") } },
  },
  {
    what: "an authorizer that gave no answer (EA-26)",
    told: { ...DENIED, response_code_details: "ext_authz_error" },
    view: viewWith(asking),
    reason: { because: "authorizer-failed", provider: "opa" },
  },
  {
    what: "a rate limit, in Envoy's words",
    told: { ...DENIED, response_code: 429, response_code_details: "local_rate_limited" },
    view: workloadView({ rootsPem: [], rateLimits: [appliedRateLimit({})] }),
    reason: { because: "told-by-envoy", details: "local_rate_limited" },
  },
  {
    what: "a connection that no rule lets through",
    told: {
      method: null,
      protocol: null,
      response_code: 0,
      upstream_host: null,
      response_code_details: null,
      source_principal: idOf("batch"),
      connection_termination_details: "rbac_access_denied_matched_policy[none]",
    },
    view: viewWith(
      policy("ALLOW", "mine", { from: [{ principals: ["cluster.local/ns/production/sa/api"] }] }),
    ),
    reason: {
      because: "no-allow-matched",
      nearest: [{ unmet: [{ field: "from.source.principals" }] }],
    },
  },
  {
    what: "plaintext under STRICT (PA-37)",
    told: {
      method: null,
      response_code: 0,
      response_flags: "NR",
      response_code_details: "filter_chain_not_found",
      upstream_host: null,
      upstream_cluster: null,
      requested_server_name: null,
      source_principal: null,
    },
    view: viewWith(readers),
    reason: { because: "plaintext-refused", origin: "default" },
  },
  {
    what: "a request that was never judged",
    told: {
      response_code: 400,
      response_code_details: "http1.codec_error",
      upstream_host: null,
      response_flags: "DPE",
    },
    view: viewWith(readers),
    reason: undefined,
  },
  {
    what: "one that was let through, and whose application is away",
    told: { response_code: 503, response_flags: "UF", upstream_host: null },
    view: viewWith(readers),
    verdict: "allow",
    reason: { because: "matched-allow" },
  },
  {
    what: "a call of the pod's own, which nobody decides here",
    told: {
      reporter: "source",
      upstream_cluster: "outbound|8080||api.production.svc.cluster.local",
    },
    view: viewWith(readers),
    reason: undefined,
  },
  {
    what: "a stranger at the pod's HTTP proxy",
    told: {
      reporter: "source",
      response_code: 401,
      response_code_details: "no_credential_for_basic_auth",
      upstream_host: null,
    },
    view: viewWith(readers),
    reason: { because: "not-own-workload" },
  },
  {
    what: "a call of the pod's own that leads nowhere",
    told: {
      reporter: "source",
      response_code: 502,
      upstream_cluster: "BlackHoleCluster",
      upstream_host: null,
    },
    view: viewWith(readers),
    reason: { because: "unknown-destination" },
  },
  {
    what: "a request to a host that is no service",
    told: { ...NO_SERVICE, route_name: "block_all" },
    view: viewWith(readers),
    reason: { because: "unknown-destination" },
  },
  {
    what: "nothing of an answer that users' own route gives",
    told: { ...NO_SERVICE, route_name: "closed" },
    view: viewWith(readers),
    reason: undefined,
  },
];

for (const { what, told, view, reason, verdict = "deny" } of ROWS) {
  test(`tells ${what}`, () => {
    const decision = decidedCall(JSON.stringify({ ...TOLD, ...told }), view)?.decision;
    assert.notEqual(decision, undefined);
    if (reason === undefined) return assert.equal(decision, null);
    assert.equal(decision?.verdict, verdict);
    assert.deepEqual(inTheShapeOf(reason, decision?.reason), reason);
  });
}

test("the entry has what Envoy told, and no identity of whoever proved none", () => {
  const entry = decidedCall(JSON.stringify({ ...TOLD, source_principal: "https://x" }), viewWith());
  assert.equal(entry?.source_principal, null);
  assert.equal(entry?.destination_principal, null);
  assert.deepEqual(
    [entry?.method, entry?.path, entry?.response_code, entry?.protocol, entry?.request_id],
    ["GET", "/orders", 200, "HTTP/1.1", "r-1"],
  );
});

test("a call that the agent led to Envoy is told by what was called, and by nobody's address", () => {
  const told = { downstream_local_address: "calls/127.0.0.1_15432" };
  const line = { ...TOLD, ...told, downstream_remote_address: "calls/127.0.0.1_15432" };
  const entry = decidedCall(JSON.stringify(line), viewWith());
  assert.equal(entry?.downstream_local_address, "127.0.0.1:15432");
  assert.equal(entry?.downstream_remote_address, null);
});

test("what a stranger wrote is cut where it is long", () => {
  const entry = decidedCall(JSON.stringify({ ...TOLD, path: `/${"x".repeat(5_000)}` }), viewWith());
  assert.equal(entry?.path?.length, 1_025);
});

for (const line of ["", "no JSON", "3", "null", "{}", '{"start_time":"now","reporter":"somebody"}'])
  test(`is no entry: ${line}`, () => assert.equal(decidedCall(line, viewWith()), undefined));

/** What of a value an expectation speaks of. */
function inTheShapeOf(expected: unknown, value: unknown): unknown {
  if (typeof expected !== "object" || expected === null) return value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(expected))
    return Array.isArray(value)
      ? value.map((one, index) => inTheShapeOf(expected[index], one))
      : value;
  const fields = Object.entries(value).filter(([name]) => name in expected);
  return Object.fromEntries(
    fields.map(([name, inner]) => [
      name,
      inTheShapeOf((expected as Readonly<Record<string, unknown>>)[name], inner),
    ]),
  );
}
