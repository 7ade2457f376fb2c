import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import { silentLog } from "../../runtime/log.ts";
import { rehearseChange } from "../rehearsed-change.ts";
import { openProxyMaterial } from "./proxy-material.ts";

const CAPTURED: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};

for (const [where, settings] of [
  ["on loopback", { version: "1.40.0" }],
  ["where the kernel leads connections", CAPTURED],
  ["of an older proxy", { version: "1.39.0" }],
] as const) {
  test(`what is sent first is what the whole view comes to, and nothing else: ${where}`, () => {
    const { resourcesOf, authorizedBy } = openProxyMaterial(silentLog);
    const { before: open, after: judged } = rehearseChange();
    const { authorization } = judged.inbound;
    const next = { ...open, inbound: { ...open.inbound, authorization } };
    const before = resourcesOf(open, { settings });
    const early = authorizedBy(next, { settings, before });
    assert.ok(early);
    const after = resourcesOf(next, { settings, before: early });
    assert.notEqual(early.encoded.extensionConfigs, before.encoded.extensionConfigs);
    assert.equal(early.encoded.extensionConfigs, after.encoded.extensionConfigs);
    assert.equal(early.encoded.listeners, before.encoded.listeners);
    assert.notEqual(early.encoded.listeners, after.encoded.listeners);
  });
}

test("a policy for which there is another resource waits for the listeners that name it", () => {
  const { resourcesOf, authorizedBy } = openProxyMaterial(silentLog);
  const { before: open } = rehearseChange();
  const settings = CAPTURED;
  const before = resourcesOf(open, { settings });
  const { inbound } = rehearseChange().after;
  const authorization = { ...inbound.authorization, audit: inbound.authorization.deny };
  const next = { ...open, inbound: { ...open.inbound, authorization } };
  const early = authorizedBy(next, { settings, before });
  const names = (early ?? before).json.extensionConfigs.map(({ name }) => name);
  assert.deepEqual(
    names,
    before.json.extensionConfigs.map(({ name }) => name),
  );
});
