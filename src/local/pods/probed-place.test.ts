import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { resourcesOf, snapshotOf, workloadNamed } from "../../../test/kit/mesh-parts.ts";
import { podTemplateOf } from "../../policy/plan-workloads.ts";
import { type ProbedPlace, probedPlace } from "./probed-place.ts";

const podOf = (written: { injection?: string; annotations?: string }): string => `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: ${written.injection ?? "enabled"}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}, annotations: ${written.annotations ?? "{}"}}
    spec:
      containers:
      - {name: main, image: i, ports: [{containerPort: 8080}, {containerPort: 8081}]}
`;
const AS_WRITTEN = '{sidecar.istio.io/rewriteAppHTTPProbers: "false"}';

interface Asked {
  readonly place: ProbedPlace;
  /** Which way a connection takes. */
  readonly way: "within" | "outside";
}

function ask(
  written: Parameters<typeof podOf>[0],
  addressing: "loopback" | "own" = "loopback",
): Asked {
  const yaml = podOf(written);
  const snapshot = snapshotOf(yaml, { addressing });
  const workload = workloadNamed(snapshot, "shop/api-0");
  const owner = podTemplateOf(resourcesOf(yaml), workload);
  assert.ok(owner);
  const within = new Socket();
  const outside = new Socket();
  const place = probedPlace(
    { workload, template: owner.template },
    { fromWithin: () => within, fromOutside: () => outside },
  );
  const socket = place.connect({ address: "127.0.0.1", port: 1 });
  return { place, way: socket === within ? "within" : "outside" };
}

const LOOPBACK = "127.0.0.1";
const OWN = "10.244.0.1";

test("INJ-27 on loopback the application's own port is asked, not its sidecar's", () => {
  const { place, way } = ask({});
  assert.equal(way, "within");
  assert.deepEqual(place.address(8080), { address: LOOPBACK, port: 8080 });
});

test("INJ-27 probes that are not rewritten meet the sidecar", () => {
  const { place, way } = ask({ annotations: AS_WRITTEN });
  assert.equal(way, "outside");
  assert.deepEqual(place.address(8080), { address: LOOPBACK, port: 18080 });
});

test("without a sidecar there is nothing to be rewritten", () => {
  const { place, way } = ask({ injection: "disabled", annotations: AS_WRITTEN });
  assert.equal(way, "within");
  assert.deepEqual(place.address(8080), { address: LOOPBACK, port: 8080 });
});

test("on loopback a pod has the ports that it declares, and no others", () => {
  const { place } = ask({});
  assert.equal(place.address(9), undefined);
  assert.equal(place.redirected(9), undefined);
  assert.deepEqual(place.redirected(8081), { address: LOOPBACK, port: 8081 });
});

test("INJ-27 with addresses of its own a pod is asked from within, at any port", () => {
  const { place, way } = ask({}, "own");
  assert.equal(way, "within");
  for (const port of [8080, 9]) {
    assert.deepEqual(place.address(port), { address: OWN, port });
    assert.deepEqual(place.redirected(port), { address: OWN, port });
  }
});

test("INJ-27 what is not rewritten is called from outside there, at the same address", () => {
  const { place, way } = ask({ annotations: AS_WRITTEN }, "own");
  assert.equal(way, "outside");
  assert.deepEqual(place.address(8080), { address: OWN, port: 8080 });
});
