import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../../test/kit/mesh-parts.ts";
import { formatPodTable } from "./pod-table.ts";

const deployment = (name: string, options: { namespace: string; ports: string }): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${options.namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: main, image: main, command: [main], ports: [${options.ports}]}]
---`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: production, labels: {istio-injection: enabled}}
---${deployment("door", { namespace: "production", ports: "{containerPort: 8080}, {containerPort: 9090}" })}
${deployment("caller", { namespace: "production", ports: "" })}
${deployment("outsider", { namespace: "legacy", ports: "{containerPort: 80}" })}
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: door, namespace: production}
spec:
  selector: {matchLabels: {app: door}}
  portLevelMtls: {8080: {mode: PERMISSIVE}}
`;

test("PA-2 PA-16 one line for each pod: its addresses, identity, and mutual TLS mode of each port", () => {
  assert.deepEqual(formatPodTable(snapshotOf(MESH)), [
    "pod                  address                                           identity in cluster.local  mutual TLS",
    "production/door-0    8080 at 127.0.0.1:18080, 9090 at 127.0.0.1:19090  ns/production/sa/door      PERMISSIVE, STRICT",
    "production/caller-0  calls only                                        ns/production/sa/caller    STRICT",
    "legacy/outsider-0    80 at 127.0.0.1:80                                none, no sidecar           none",
  ]);
});
