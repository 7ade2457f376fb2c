import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleDestination } from "../../../test/kit/sample-destination.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { envoyConfig } from "../../envoy/envoy-config.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { compareDumps } from "./compare-dumps.ts";

const view: WorkloadView = sampleView({
  name: "shop/api-0",
  identity: "spiffe://cluster.local/ns/shop/sa/api",
  rootPem: "root",
});
const cart = sampleDestination({ service: "shop/cart", port: 80, endpoints: [] });
const other: WorkloadView = {
  ...view,
  outbound: { ...view.outbound, destinations: [cart] },
};

test("what is the same matches, part by part", () => {
  const copy: WorkloadView = JSON.parse(JSON.stringify(view)); // as a sidecar has it
  assert.deepEqual(compareDumps(envoyConfig(view), envoyConfig(copy)), {
    lines: ["Clusters Match", "Listeners Match", "Routes Match"],
    isSame: true,
  });
});

test("what a sidecar has not heard of is a difference", () => {
  const { lines, isSame } = compareDumps(envoyConfig(other), envoyConfig(view));
  assert.equal(isSame, false);
  assert.deepEqual(lines.slice(0, 2), ["--- Control plane Clusters", "+++ Sidecar Clusters"]);
  assert.ok(
    lines.some((line) => /^- .*"name": "outbound\|.*cart/.test(line)),
    lines.join("\n"),
  );
});
