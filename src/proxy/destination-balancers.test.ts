import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { Destination } from "../policy/workload-view.ts";
import { seededChance } from "./balancing/seeded-chance.ts";
import { DestinationBalancers } from "./destination-balancers.ts";

const view = sampleView({
  name: "production/api-0",
  identity: "spiffe://cluster.local/ns/production/sa/api",
  rootPem: "",
});
const [sample] = view.outbound.destinations;
assert.ok(sample);
const ref = { kind: "DestinationRule", namespace: "production", name: "rule" };
const detecting: Destination = {
  ...sample,
  trafficPolicy: {
    ...DEFAULT_TRAFFIC_POLICY,
    outlierDetection: {
      consecutive5xxErrors: 1,
      localOriginFailures: "gateway errors",
      intervalMs: 1,
      baseEjectionTimeMs: 1,
      maxEjectionTimeMs: 1,
      maxEjectionPercent: 100,
      minHealthPercent: 0,
    },
    origin: { ref, source: { file: "mesh.yaml", line: 1 } },
  },
};
const log = recordedLog();
const balancers = new DestinationBalancers({ chance: seededChance(1), log });
after(() => balancers.close());

test("a destination has one balancer, as long as views name it", () => {
  assert.equal(balancers.of(sample), undefined);
  balancers.apply([sample]);
  const first = balancers.of(sample);
  assert.ok(first);
  balancers.apply([detecting]);
  assert.equal(balancers.of({ host: sample.host, servicePort: sample.servicePort }), first);
  assert.equal(balancers.of({ host: sample.host, servicePort: 1 }), undefined);
  balancers.apply([]);
  assert.equal(balancers.of(sample), undefined);
  balancers.apply([sample]);
  assert.notEqual(balancers.of(sample), first);
});

test("an ejection is one line in the log, and so is the endpoint's return, which comes by itself", async () => {
  balancers.apply([detecting]);
  const balancer = balancers.of(detecting);
  const selection = balancer?.select({ carried: "http" });
  assert.ok(selection !== undefined && typeof selection !== "string");
  selection.answered(503);
  selection.answered(503);
  selection.done();
  const where = {
    cluster: "outbound|5432||database.production.svc.cluster.local",
    workload: "database-0",
    endpoint: "127.0.0.1:20004",
  };
  assert.deepEqual(log.lines, [
    {
      level: "warn",
      message: "outlier ejected",
      fields: { ...where, cause: "consecutive_5xx" },
    },
  ]);
  assert.equal(balancer?.select({ carried: "http" }), "no-healthy-upstream");
  await eventually("the return", () => log.find("outlier returned").length > 0);
  assert.deepEqual(log.find("outlier returned")[0]?.fields, where);
  assert.ok(typeof balancer?.select({ carried: "http" }) !== "string");
});
