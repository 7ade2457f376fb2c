import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { describeClusters } from "../proxy/admin-clusters.ts";
import { describeListeners } from "../proxy/admin-listeners.ts";
import { clusterTable, endpointTable, listenerTable } from "./format-proxy-config.ts";

const origin = {
  ref: { kind: "DestinationRule", namespace: "production", name: "plain" },
  source: { file: "rules.yaml", line: 1 },
};
const view = workloadView({
  rootsPem: [],
  ports: [inboundPort({ listen: 7080, application: 7081 })],
  destinations: [
    { ...destination({ name: "billing", port: 7001, listen: 7002 }) },
    {
      ...destination({ name: "cache", port: 6379, protocol: "tcp", mutualTls: false }),
      clientTls: { mode: "DISABLE", origin },
    },
  ],
});

test("a listener has a line for each way that a connection can take", () => {
  assert.deepEqual(listenerTable(describeListeners(view, undefined)), [
    "ADDRESSES  PORT  MATCH     MUTUAL TLS        DESTINATION",
    "127.0.0.1  7080  all http  STRICT (default)  inbound|8080||",
    "127.0.0.1  7002  all http  -                 outbound|8080||billing.production.svc.cluster.local",
  ]);
});

test("captured connections are told by where they were going", () => {
  const captured = {
    ...view,
    outbound: {
      destinations: view.outbound.destinations.map((one) => ({ ...one, addresses: ["10.96.0.7"] })),
    },
  };
  const table = listenerTable(
    describeListeners(captured, { inboundPort: 15_006, outboundPort: 15_001 }),
  );
  assert.deepEqual(table.slice(1, 3), [
    "0.0.0.0,::     15006  :8080 http           STRICT (default)  inbound|8080||",
    "127.0.0.1,::1  15001  10.96.0.7:8080 http  -                 outbound|8080||billing.production.svc.cluster.local",
  ]);
});

test("a cluster names the rule that decides about it", () => {
  assert.deepEqual(clusterTable(describeClusters(view)), [
    "SERVICE FQDN                          PORT  DIRECTION  ENDPOINTS  DESTINATION RULE",
    "-                                     8080  inbound    1          -",
    "billing.production.svc.cluster.local  8080  outbound   1          -",
    "cache.production.svc.cluster.local    8080  outbound   1          DestinationRule production/plain",
  ]);
});

test("an endpoint says whether a connection to it is mutual TLS", () => {
  assert.deepEqual(endpointTable(describeClusters(view)), [
    "ENDPOINT        STATUS  MUTUAL TLS  POD        CLUSTER",
    "127.0.0.1:7081  ready   no          -          inbound|8080||",
    "127.0.0.1:7001  ready   yes         billing-0  outbound|8080||billing.production.svc.cluster.local",
    "127.0.0.1:6379  ready   no          cache-0    outbound|8080||cache.production.svc.cluster.local",
  ]);
});
