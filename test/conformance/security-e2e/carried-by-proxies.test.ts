import assert from "node:assert/strict";
import { after, test } from "node:test";
import { CARRIED_SAMPLES, CarriedSamples } from "./carried-samples.ts";
import { startEmbedded } from "./data-planes.ts";
import { securityE2eByProxies } from "./security-e2e-by-proxies.ts";

const samples = new CarriedSamples(securityE2eByProxies(startEmbedded));
after(() => samples.close());

for (const [what, sample] of Object.entries(CARRIED_SAMPLES)) {
  test(`${what}: passes, and no other outcome`, async () => {
    assert.deepEqual(await samples.run(sample), { outcome: "passed" });
    const { success, allowed } = sample.expected;
    const isLetIn = success === true || allowed === true;
    const opposite = { ...sample, expected: { allowed: !isLetIn } };
    assert.equal((await samples.run(opposite)).outcome, "failed");
  });
}

test("mutual TLS is seen, not taken for granted", async () => {
  const sample = CARRIED_SAMPLES["STRICT: TCP"] ?? assert.fail("no such sample");
  const { outcome } = await samples.run({
    ...sample,
    expected: { ...sample.expected, mtls: false },
  });
  assert.equal(outcome, "failed");
});
