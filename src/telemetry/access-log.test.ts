import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccessLogEntry, formatAccessLogEntry } from "./access-log.ts";

const entry: AccessLogEntry = {
  start_time: "2026-01-01T00:00:00.000Z",
  reporter: "destination",
  protocol: "HTTP/1.1",
  method: "GET",
  path: '/a"\n{"forged":true}\u2028',
  authority: "api:8080",
  response_code: 200,
  response_flags: "-",
  response_code_details: null,
  connection_termination_details: null,
  upstream_transport_failure_reason: null,
  bytes_received: 0,
  bytes_sent: 1,
  duration: 2,
  x_forwarded_for: null,
  user_agent: null,
  request_id: null,
  upstream_host: null,
  upstream_local_address: null,
  upstream_cluster: null,
  downstream_local_address: null,
  downstream_remote_address: null,
  requested_server_name: null,
  source_principal: null,
  destination_principal: null,
  source_certificate_serial: null,
  decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
};

test("an entry holds which NetworkPolicies refused", () => {
  const policies = [{ kind: "NetworkPolicy", namespace: "shop", name: "api" }];
  const reason = { because: "network-policy", direction: "ingress", policies } as const;
  const refused: AccessLogEntry = { ...entry, decision: { verdict: "deny", reason } };
  assert.deepEqual(JSON.parse(formatAccessLogEntry(refused)), refused);
});

test("OBS-2 an entry is one line of JSON, whatever a caller sends", () => {
  const line = formatAccessLogEntry(entry);
  assert.doesNotMatch(line, /\n/);
  assert.deepEqual(JSON.parse(line), entry);
});
