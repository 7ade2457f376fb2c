/** Cases in the form of upstream's end-to-end tests with real Envoys on both sides: what runs the tables of conformance. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { CARRIED_SAMPLES, CarriedSamples } from "../conformance/security-e2e/carried-samples.ts";
import { DATA_PLANES } from "../conformance/security-e2e/data-planes.ts";
import { securityE2eByProxies } from "../conformance/security-e2e/security-e2e-by-proxies.ts";

const startProxy = DATA_PLANES.get("envoy") ?? assert.fail("no Envoy");
const samples = new CarriedSamples(securityE2eByProxies(startProxy));
after(() => samples.close());

for (const [what, sample] of Object.entries(CARRIED_SAMPLES)) {
  test(what, async () => assert.deepEqual(await samples.run(sample), { outcome: "passed" }));
}
