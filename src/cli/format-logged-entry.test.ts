import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import {
  explainLoggedEntry,
  formatLoggedEntry,
  isDenied,
  isTelling,
} from "./format-logged-entry.ts";

const policy = { kind: "AuthorizationPolicy", namespace: "shop", name: "no-admin" };
const matched = { policy, rule: 0, source: { file: "a.yaml", line: 3 } };

const denied = { verdict: "deny", reason: { because: "matched-deny", matched } } as const;

const entry: AccessLogEntry = {
  start_time: "2026-01-31T12:00:00.000Z",
  reporter: "destination",
  protocol: "HTTP/1.1",
  method: "GET",
  path: "/admin",
  authority: "api.shop:8080",
  response_code: 403,
  response_flags: "-",
  response_code_details: "rbac_access_denied_matched_policy[x]",
  connection_termination_details: null,
  upstream_transport_failure_reason: null,
  bytes_received: 0,
  bytes_sent: 19,
  duration: 1,
  x_forwarded_for: null,
  user_agent: null,
  request_id: "1",
  upstream_host: null,
  upstream_cluster: "inbound|8080||",
  upstream_local_address: null,
  downstream_local_address: "127.0.0.1:20003",
  downstream_remote_address: "127.0.0.1:40000",
  requested_server_name: null,
  source_principal: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/web"),
  destination_principal: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/api"),
  source_certificate_serial: "1",
  decision: denied,
};
const tcp = { protocol: "TCP", method: null, path: null, response_code: null } as const;

const lines: [what: string, changes: Partial<AccessLogEntry>, expected: string][] = [
  [
    "a refused request",
    {},
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /admin 403, DENY shop/no-admin rules[0] (a.yaml:3)",
  ],
  [
    "an allowed connection",
    { ...tcp, decision: { verdict: "allow", reason: { because: "no-allow-policy" } } },
    "allowed cluster.local/ns/shop/sa/web -> shop/api-0:8080 TCP, no ALLOW policy applies",
  ],
  [
    "a caller without identity",
    {
      ...tcp,
      source_principal: null,
      upstream_cluster: null,
      decision: { verdict: "deny", reason: { because: "plaintext-refused", origin: "default" } },
    },
    "DENIED unknown 127.0.0.1:40000 -> shop/api-0 TCP, plaintext refused, STRICT by default",
  ],
  [
    "a connection by another pod's sidecar",
    {
      ...tcp,
      reporter: "source",
      authority: null,
      upstream_cluster: "outbound|8080||api.shop.svc.cluster.local",
      decision: {
        verdict: "deny",
        reason: { because: "not-own-workload", problem: "another process" },
      },
    },
    "DENIED somebody at the outbound side of shop/api-0 -> shop/api:8080 TCP, not the pod's own process: another process",
  ],
  [
    "a request that a gateway refused",
    { reporter: "source", authority: "shop.example.com", source_principal: null },
    "DENIED client 127.0.0.1:40000 -> shop/api-0 GET shop.example.com/admin 403, DENY shop/no-admin rules[0] (a.yaml:3)",
  ],
  [
    "a request of the mesh that a gateway refused",
    { reporter: "source", authority: "pay.example.com" },
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0 GET pay.example.com/admin 403, DENY shop/no-admin rules[0] (a.yaml:3)",
  ],
  [
    "a request that a gateway sent on, by its own identity",
    {
      reporter: "source",
      authority: "shop.example.com",
      response_code: 200,
      upstream_host: "127.0.0.1:8080",
      decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
    },
    "allowed client 127.0.0.1:40000 -> shop/api-0 GET shop.example.com/admin 200, no ALLOW policy applies",
  ],
  [
    "a connection that a gateway refused",
    {
      ...tcp,
      reporter: "source",
      authority: null,
      source_principal: null,
      decision: { verdict: "deny", reason: { because: "peer-not-verified", problem: "expired" } },
    },
    "DENIED client 127.0.0.1:40000 -> shop/api-0 TCP, caller not verified: expired",
  ],
  [
    "a connection that a NetworkPolicy kept from a gateway",
    {
      ...tcp,
      reporter: "source",
      source_principal: null,
      decision: {
        verdict: "deny",
        reason: { because: "network-policy", direction: "ingress", policies: [policy] },
      },
    },
    "DENIED client 127.0.0.1:40000 -> shop/api-0 TCP, NetworkPolicy refuses ingress: shop/no-admin",
  ],
  [
    "a request that was let in, and for which nobody listens",
    {
      decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
      response_code: 503,
      response_flags: "UF",
      upstream_transport_failure_reason: "connect ECONNREFUSED 127.0.0.1:20002",
    },
    "allowed cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /admin 503, no ALLOW policy applies; the application is not reached: connect ECONNREFUSED 127.0.0.1:20002",
  ],
  [
    "a request that was let in, whose client left",
    {
      decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
      response_code: null,
      response_flags: "DC",
      response_code_details: "downstream_remote_disconnect",
    },
    "allowed cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /admin, no ALLOW policy applies; DC downstream_remote_disconnect",
  ],
  [
    "a call that came to nothing",
    {
      reporter: "source",
      decision: null,
      response_code: 503,
      response_flags: "UF",
      response_code_details: "upstream_reset_before_response_started",
    },
    "FAILED shop/api-0 -> api.shop:8080 GET /admin 503, UF upstream_reset_before_response_started",
  ],
  [
    "a connection that a NetworkPolicy refuses",
    {
      ...tcp,
      decision: {
        verdict: "deny",
        reason: {
          because: "network-policy",
          direction: "ingress",
          policies: [{ kind: "NetworkPolicy", namespace: "shop", name: "api" }],
        },
      },
    },
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0:8080 TCP, NetworkPolicy refuses ingress: shop/api",
  ],
  [
    "a call to an address that is none of the mesh's",
    {
      ...tcp,
      reporter: "source",
      authority: null,
      upstream_cluster: null,
      downstream_local_address: "93.184.216.34:443",
      decision: { verdict: "deny", reason: { because: "unknown-destination" } },
    },
    "DENIED shop/api-0 -> 93.184.216.34:443 TCP, no destination of the mesh (REGISTRY_ONLY)",
  ],
  [
    "a call to such an address that came to nothing",
    {
      ...tcp,
      reporter: "source",
      authority: null,
      response_flags: "UF",
      response_code_details: null,
      upstream_cluster: "PassthroughCluster",
      downstream_local_address: "93.184.216.34:443",
      upstream_transport_failure_reason: "delayed connect error: 111",
      decision: null,
    },
    "FAILED shop/api-0 -> 93.184.216.34:443 TCP, UF delayed connect error: 111",
  ],
  [
    "plaintext at a port that nobody declared",
    {
      ...tcp,
      source_principal: null,
      upstream_cluster: "InboundPassthroughCluster",
      downstream_local_address: "10.244.0.7:9000",
      decision: { verdict: "deny", reason: { because: "plaintext-refused", origin: "default" } },
    },
    "DENIED unknown 127.0.0.1:40000 -> shop/api-0:9000 TCP, plaintext refused, STRICT by default",
  ],
  [
    "a refusal that policies on trial would not change",
    { decision: { ...denied, dryRun: denied } },
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /admin 403, DENY shop/no-admin rules[0] (a.yaml:3)",
  ],
  [
    "a refusal that they would change",
    {
      decision: { ...denied, dryRun: { verdict: "allow", reason: { because: "no-allow-policy" } } },
    },
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /admin 403, DENY shop/no-admin rules[0] (a.yaml:3); on trial allowed: no ALLOW policy applies",
  ],
  [
    "a path that would steer the terminal",
    { path: "/\u001b[2J\u202e\u2028" },
    "DENIED cluster.local/ns/shop/sa/web -> shop/api-0:8080 GET /\\u{1b}[2J\\u{202e}\\u{2028} 403, DENY shop/no-admin rules[0] (a.yaml:3)",
  ],
];
for (const [what, changes, expected] of lines) {
  test("a caller without identity is named by the pod that has its address now", () => {
    const plain = { ...entry, ...tcp, source_principal: null, upstream_cluster: null };
    const line = (remote: string | null): string =>
      formatLoggedEntry(
        { pod: "shop/api-0", entry: { ...plain, downstream_remote_address: remote } },
        (address) => (address === "10.244.0.7:1" ? "legacy/cron-0" : undefined),
      );
    assert.match(
      line("10.244.0.7:1"),
      / unknown 10\.244\.0\.7:1 \(now legacy\/cron-0\) -> shop\/api-0 /,
    );
    assert.match(line("10.244.0.8:1"), / unknown 10\.244\.0\.8:1 -> shop\/api-0 /);
    assert.match(line(null), / unknown -> shop\/api-0 /);
  });

  test(`one line for ${what}`, () => {
    const logged = { pod: "shop/api-0", entry: { ...entry, ...changes } };
    assert.equal(formatLoggedEntry(logged), `2026-01-31T12:00:00.000Z ${expected}`);
    assert.equal(isTelling(logged), true);
    assert.equal(isDenied(logged), expected.startsWith("DENIED"));
  });
}

test("a refusal is explained in full, and cannot steer the terminal either", () => {
  const unmet = { field: "request.headers[x]", expected: "a", got: "\u001b[2J" };
  const nearest = [{ rule: matched, unmet: [unmet] }];
  const reason = { because: "no-allow-matched", considered: [policy], nearest } as const;
  const logged = { pod: "shop/api-0", entry: { ...entry, decision: { verdict: "deny", reason } } };
  const text = explainLoggedEntry(logged as Parameters<typeof explainLoggedEntry>[0]);
  assert.match(text[0] ?? "", /^ {4}Denied: ALLOW policies apply/);
  assert.match(text.at(-1) ?? "", /^ {8}request\.headers\[x\]: expected a; got \\u\{1b\}\[2J$/);
});

test("what a caller's sidecar writes of a call that went well tells nothing", () => {
  const changes = { reporter: "source", decision: null, response_flags: "-" } as const;
  assert.equal(isTelling({ pod: "shop/web-0", entry: { ...entry, ...changes } }), false);
});
