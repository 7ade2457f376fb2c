import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { VIEW_CHANGES_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { changedView, type HeldView } from "./changed-view.ts";
import { readWorkloadView } from "./decode-workload-view.ts";
import { InvalidWorkloadViewError } from "./view-fields.ts";

const { rootPem } = createThrowawayAuthority();
const held: HeldView = { view: readWorkloadView(viewOf("/one")), version: "1" };

function viewOf(path: string): WorkloadView {
  const identity = "spiffe://cluster.local/ns/production/sa/api";
  return sampleView({ name: "production/api-0", identity, rootPem, path });
}

function withChanges(told: object, from: HeldView | undefined = held): WorkloadView {
  return changedView({ format: VIEW_CHANGES_FORMAT, json: JSON.stringify(told) }, from);
}

test("fields that changed replace those that are held, and others stay", () => {
  const { inbound } = viewOf("/two");
  const changed = withChanges({ base: "1", gone: [], changed: { inbound } });
  assert.deepEqual(changed, viewOf("/two"));
  assert.equal(changed.outbound, held.view.outbound, "what did not change is not read again");
  const { workload } = held.view;
  const relabelled = { base: "1", gone: [], changed: { workload: { ...workload, labels: {} } } };
  assert.equal(withChanges(relabelled).inbound.authorization, held.view.inbound.authorization);
  const withGateway = { version: "1", view: { ...held.view, gateway: { listeners: [] } } };
  const told = { base: "1", gone: ["gateway"], changed: {} };
  assert.deepEqual(withChanges(told, withGateway), held.view);
});

const REFUSED: Readonly<Record<string, object>> = {
  "changes of another view": { base: "2", gone: [], changed: {} },
  "a field that nobody knows": { base: "1", gone: [], changed: { unknown: {} } },
  "a field without which no view is": { base: "1", gone: ["trust"], changed: {} },
  "changes that are none": { base: "1", gone: [], changed: [] },
  "more than changes": { base: "1", gone: [], changed: {}, more: true },
};

for (const [name, told] of Object.entries(REFUSED)) {
  test(`${name} are refused`, () => {
    assert.throws(() => withChanges(told), InvalidWorkloadViewError);
  });
}

test("changes are refused where nothing is held, and where they are no JSON", () => {
  const told = JSON.stringify({ base: "1", gone: [], changed: {} });
  const format = VIEW_CHANGES_FORMAT;
  assert.throws(() => changedView({ format, json: told }, undefined), InvalidWorkloadViewError);
  assert.throws(() => changedView({ format, json: "{" }, held), InvalidWorkloadViewError);
});
