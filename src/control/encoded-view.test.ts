import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { VIEW_CHANGES_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { unpackView } from "../wire/workload-view-message.ts";
import { changedFields, encodeView, wholeView } from "./encoded-view.ts";

const { rootPem } = createThrowawayAuthority();

function viewOf(path: string): WorkloadView {
  const identity = "spiffe://cluster.local/ns/production/sa/api";
  return sampleView({ name: "production/api-0", identity, rootPem, path });
}

test("a whole view is its JSON, and the version the hash of that", () => {
  const view = viewOf("/one");
  const { format, json } = unpackView(wholeView(view));
  assert.equal(json, JSON.stringify(view));
  const digest = createHash("sha256").update(`${format}${json}`).digest("hex");
  assert.equal(encodeView(view).version, digest.slice(0, 32));
});

test("equal views have equal versions, others others", () => {
  const { version } = encodeView(viewOf("/one"));
  assert.equal(encodeView(viewOf("/one")).version, version);
  assert.notEqual(encodeView(viewOf("/two")).version, version);
  const { outbound, ...rest } = viewOf("/one");
  assert.notEqual(encodeView({ ...rest, outbound: { ...outbound, subsets: [] } }).version, version);
});

test("of a change the fields are told that are others, and those that are gone", () => {
  const before = { ...viewOf("/one"), proxyHeaders: undefined, gateway: { listeners: [] } };
  const next = viewOf("/two");
  const { format, json } = unpackView(changedFields(before as unknown as WorkloadView, next));
  assert.equal(format, VIEW_CHANGES_FORMAT);
  assert.deepEqual(JSON.parse(json), {
    base: encodeView(before as unknown as WorkloadView).version,
    gone: ["gateway"],
    changed: JSON.parse(JSON.stringify({ inbound: next.inbound })),
  });
});
