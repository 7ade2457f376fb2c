/** The dashboard of a mesh whose pods have networks of their own: addresses in its logs are those of pods. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type {
  DenialsView,
  EdgeView,
  GraphView,
  WorkloadsView,
} from "../../../src/dashboard/views.ts";
import { type DashboardStage, stageDashboard } from "../../kit/dashboard-stage.ts";
import { namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { until } from "../../kit/until.ts";

describe("the dashboard with networks of their own", { skip: namespacesMissing() }, () => {
  let stage: DashboardStage;
  let origin: string;
  let cookie: string;

  before(async () => {
    stage = await stageDashboard("namespaces");
    const { url } = await stage.open();
    origin = new URL(url).origin;
    const admitted = await fetch(url, { redirect: "manual" });
    cookie = (admitted.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  });
  after(() => stage?.stop());

  const ask = async <T>(view: string): Promise<T> => {
    const response = await fetch(`${origin}/api/${view}`, { headers: { cookie } });
    assert.equal(response.status, 200);
    return (await response.json()) as T;
  };
  const edge = (from: string, to: string): Promise<EdgeView> =>
    until(`calls of ${from} to ${to}`, async () =>
      (await ask<GraphView>("graph")).edges.find((one) => one.from === from && one.to === to),
    );

  test("the graph names services by the addresses of their pods, and counts mutual TLS", async () => {
    const web = await edge("shop/web", "shop/orders");
    assert.deepEqual([web.mutualTlsPercent, web.plaintext, web.refused], [100, 0, 0]);
    const reports = await edge("shop/reports", "shop/orders");
    assert.equal(reports.refused, reports.calls, "all are refused");
    // It proves nothing, but its address is its own.
    const till = await edge("shop/till", "shop/stock");
    assert.deepEqual([till.mutualTlsPercent, till.refused], [0, 0]);
    assert.equal((await edge("shop/orders", "legacy/prices")).mutualTlsPercent, 0);
    const { services } = await ask<GraphView>("graph");
    const sidecars = new Map(services.map(({ name, sidecar }) => [name, sidecar]));
    assert.equal(sidecars.get("shop/orders"), "all");
    assert.equal(sidecars.get("legacy/prices"), "none");
    const isAddress = /^\d+\.\d+\.\d+\.\d+/;
    assert.deepEqual(
      services.filter(({ name }) => isAddress.test(name)),
      [],
      "no pod is taken for a stranger",
    );
  });

  test("denials are explained: by policy, and of plaintext", async () => {
    const denials = await until("both kinds", async () => {
      const { denials } = await ask<DenialsView>("denials");
      const all = JSON.stringify(denials);
      return /sa\/reports/.test(all) && /plaintext/i.test(all) && denials;
    });
    assert.ok(denials.length >= 2);
  });

  test("workloads have their certificates, asked through their own networks", async () => {
    const { workloads, troubles } = await until("a certificate", async () => {
      const view = await ask<WorkloadsView>("workloads");
      return view.workloads.some(({ certificateEnds }) => certificateEnds !== null) && view;
    });
    assert.deepEqual(troubles, []);
    const orders = workloads.find(({ pod }) => pod === "shop/orders-0");
    assert.equal(orders?.identity, "spiffe://cluster.local/ns/shop/sa/orders");
    assert.ok((orders?.certificateSecondsLeft ?? 0) > 0);
    const prices = workloads.find(({ pod }) => pod === "legacy/prices-0");
    assert.equal(prices?.identity, null);
  });
});
