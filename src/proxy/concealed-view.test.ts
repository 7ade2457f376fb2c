import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleView } from "../../test/kit/sample-view.ts";
import { TRACING } from "../../test/kit/span-side.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { concealedView } from "./concealed-view.ts";

const sample = sampleView({
  name: "shop/api-0",
  identity: "spiffe://cluster.local/ns/shop/sa/api",
  rootPem: "",
});

test("a view without collectors is shown as it is", () => {
  assert.equal(concealedView(sample), sample);
});

test("by which header a collector knows who sends is shown, and not its value", () => {
  const side = { ...TRACING, collector: { ...TRACING.collector, headers: { "x-key": "k3y" } } };
  const view: WorkloadView = {
    ...sample,
    telemetry: { inbound: [], outbound: [], tracing: { outbound: side, operations: [] } },
  };
  const shown = concealedView(view);
  assert.doesNotMatch(JSON.stringify(shown), /k3y/);
  const headers = { "x-key": "(not shown)" };
  assert.deepEqual(shown.telemetry?.tracing, {
    outbound: { ...side, collector: { ...side.collector, headers } },
    operations: [],
  });
});
