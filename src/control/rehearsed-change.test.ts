import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { openProxyMaterial } from "./aggregated-discovery/proxy-material.ts";
import { rehearseTranslation } from "./aggregated-discovery/rehearsed-translation.ts";
import { rehearseChange } from "./rehearsed-change.ts";

test("what is rehearsed goes all the way: a DENY, an ALLOW and STRICT come into force", () => {
  const { before, after } = rehearseChange();
  const judged = ({ inbound: { authorization, ports } }: typeof before) => [
    authorization.deny.length,
    authorization.allow.length,
    ...ports.map(({ mutualTls }) => mutualTls.mode),
  ];
  assert.deepEqual(judged(before), [0, 0, "PERMISSIVE", "PERMISSIVE"]);
  assert.deepEqual(judged(after), [1, 1, "STRICT", "PERMISSIVE"]);
});

test("its translation is one that an Envoy could be sent", () => {
  const log = recordedLog();
  const { before, after } = rehearseTranslation(openProxyMaterial(log));
  assert.deepEqual(log.lines, []);
  assert.notEqual(before.encoded.extensionConfigs, after.encoded.extensionConfigs);
  assert.notEqual(before.encoded.listeners, after.encoded.listeners);
});
