import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CONTROL_PLANE_FLAG_NAMES,
  type ControlPlaneFlags,
  controlPlaneFlags,
  DEFAULT_CONTROL_PLANE_FLAGS,
  FlagError,
} from "./control-plane-flags.ts";

const HOUR_MS = 3_600_000;

test("CA-10, CA-40, AP-15: the defaults are Istio's, also where a flag is empty", () => {
  const expected = {
    defaultLifetimeMs: 24 * HOUR_MS,
    maxLifetimeMs: 2160 * HOUR_MS,
    selfSignedLifetimeMs: 87_600 * HOUR_MS,
    rootGracePercent: 20,
    gatewaySelectors: "honoured",
    gatewayScope: "mesh",
    trustedNodeAccounts: new Set(),
  };
  assert.deepEqual(DEFAULT_CONTROL_PLANE_FLAGS, expected);
  assert.deepEqual(controlPlaneFlags({}), expected);
  const empty = Object.fromEntries(CONTROL_PLANE_FLAG_NAMES.map((name) => [name, ""]));
  assert.deepEqual(controlPlaneFlags(empty), expected);
});

const read: [name: string, value: string, expected: Partial<ControlPlaneFlags>][] = [
  ["DEFAULT_WORKLOAD_CERT_TTL", "1h30m", { defaultLifetimeMs: 1.5 * HOUR_MS }],
  ["MAX_WORKLOAD_CERT_TTL", "48h", { maxLifetimeMs: 48 * HOUR_MS }],
  ["CITADEL_SELF_SIGNED_CA_CERT_TTL", "1000h", { selfSignedLifetimeMs: 1000 * HOUR_MS }],
  ["CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE", "35", { rootGracePercent: 35 }],
  ["CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL", "5m", {}],
  ["CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL", "0", { rootGracePercent: undefined }],
  ["CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL", "0s", { rootGracePercent: undefined }],
  ["CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL", "-1h", { rootGracePercent: undefined }],
  ["ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "false", { gatewaySelectors: "ignored" }],
  ["ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "T", { gatewaySelectors: "honoured" }],
  ["PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "true", { gatewayScope: "namespace" }],
  ["PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "0", { gatewayScope: "mesh" }],
  [
    "CA_TRUSTED_NODE_ACCOUNTS",
    "istio-system/ztunnel,kube-system/node-agent",
    { trustedNodeAccounts: new Set(["istio-system/ztunnel", "kube-system/node-agent"]) },
  ],
];
for (const [name, value, expected] of read) {
  test(`${name}=${value} is read`, () => {
    const flags = controlPlaneFlags({ [name]: value });
    assert.deepEqual(flags, { ...DEFAULT_CONTROL_PLANE_FLAGS, ...expected });
  });
}

const refused: [environment: Record<string, string>, problem: RegExp][] = [
  [
    { DEFAULT_WORKLOAD_CERT_TTL: "1d" },
    /^DEFAULT_WORKLOAD_CERT_TTL is "1d"; expected a Go duration/,
  ],
  [{ MAX_WORKLOAD_CERT_TTL: "0s" }, /^MAX_WORKLOAD_CERT_TTL is "0s"/],
  [{ CITADEL_SELF_SIGNED_CA_CERT_TTL: "-1h" }, /^CITADEL_SELF_SIGNED_CA_CERT_TTL is "-1h"/],
  [{ CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: "0" }, /from 1 to 99$/],
  [{ CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: "100" }, /is "100"; expected/],
  [{ CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL: "never" }, /is "never"; expected a Go duration/],
  [{ PILOT_SCOPE_GATEWAY_TO_NAMESPACE: "no" }, /is "no"; expected true or false$/],
  [{ ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY: "no" }, /is "no"; expected true or false$/],
  [{ CA_TRUSTED_NODE_ACCOUNTS: "ztunnel" }, /is "ztunnel"; expected NAMESPACE\/SERVICE_ACCOUNT/],
  [{ CA_TRUSTED_NODE_ACCOUNTS: "istio-system/ztunnel," }, /expected NAMESPACE/],
  [{ DEFAULT_WORKLOAD_CERT_TTL: "2h", MAX_WORKLOAD_CERT_TTL: "1h" }, /must not be longer than MAX/],
  [{ DEFAULT_WORKLOAD_CERT_TTL: "a", MAX_WORKLOAD_CERT_TTL: "b" }, /"a".*; MAX_.*"b"/],
];
for (const [environment, problem] of refused) {
  test(`${JSON.stringify(environment)} is refused, never replaced by a default`, () => {
    assert.throws(
      () => controlPlaneFlags(environment),
      (error) => error instanceof FlagError && problem.test(error.message),
    );
  });
}
