import assert from "node:assert/strict";
import { test } from "node:test";
import { grpc, http } from "../../test/kit/authorizer-stage.ts";
import { outsideDestination } from "../../test/kit/outside-destination.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { TRACING } from "../../test/kit/span-side.ts";
import { concealedView } from "./concealed-view.ts";
import type { WorkloadView } from "./workload-view.ts";

const sample = sampleView({
  name: "shop/api-0",
  identity: "spiffe://cluster.local/ns/shop/sa/api",
  rootPem: "",
});

test("a view without collectors is shown as it is", () => {
  assert.equal(concealedView(sample), sample);
});

test("which Secret's key a client uses is shown, and not the key", () => {
  const material = { from: "secret", name: "shop/a", caPem: "a", keyPem: "k3y" } as const;
  const tlsOrigination = { mode: "MUTUAL", verification: "name", material } as const;
  const destination = outsideDestination({ tlsOrigination });
  const subsets = [{ ...destination, subset: "v1" }];
  const outbound = { ...sample.outbound, destinations: [destination], subsets };
  const shown = concealedView({ ...sample, outbound });
  assert.doesNotMatch(JSON.stringify(shown), /k3y/);
  const [first] = shown.outbound.destinations;
  assert.deepEqual(first?.tlsOrigination?.material, { ...material, keyPem: "(not shown)" });
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

test("by which header an authorizer knows who asks is shown, and not its value", () => {
  const authorizers = [http("check", { additionalHeaders: { "x-key": "k3y" } }), grpc("opa")];
  const view = { ...sample, inbound: { ...sample.inbound, authorizers } };
  assert.deepEqual(concealedView(view).inbound.authorizers, [
    http("check", { additionalHeaders: { "x-key": "(not shown)" } }),
    grpc("opa"),
  ]);
});
