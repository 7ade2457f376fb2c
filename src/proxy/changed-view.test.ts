import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleView } from "../../test/kit/sample-view.ts";
import { policy } from "../../test/kit/sidecar-fixture.ts";
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

test("policies that say the same are the objects that are held, wherever they stand", () => {
  const names = ["a", "c", "d"];
  const before: HeldView = { view: readWorkloadView(withPolicies(names)), version: "1" };
  const [a, c, d] = before.view.inbound.authorization.allow;
  const told = (policies: readonly string[], methods?: readonly string[]) =>
    withChanges(
      { base: "1", gone: [], changed: { inbound: withPolicies(policies, methods).inbound } },
      before,
    );
  const { allow } = told(["a", "b", "c", "d"]).inbound.authorization;
  assert.deepEqual(allow, withPolicies(["a", "b", "c", "d"]).inbound.authorization.allow);
  assert.deepEqual([allow[0] === a, allow[2] === c, allow[3] === d], [true, true, true]);
  const other = told(names, ["POST"]).inbound.authorization;
  assert.deepEqual(other, withPolicies(names, ["POST"]).inbound.authorization);
  assert.equal(told(names).inbound.authorization, before.view.inbound.authorization);
});

test("a policy among known ones is read as strictly as any", () => {
  const before: HeldView = { view: readWorkloadView(withPolicies(["a", "b"])), version: "1" };
  const { inbound } = withPolicies(["a", "b"]);
  for (const wrong of [null, 1, {}, { ...inbound.authorization.allow[0], more: true }]) {
    const allow = [inbound.authorization.allow[0], wrong];
    const changed = { inbound: { ...inbound, authorization: { ...inbound.authorization, allow } } };
    const told = { base: "1", gone: [], changed };
    assert.throws(() => withChanges(told, before), InvalidWorkloadViewError, JSON.stringify(wrong));
  }
  for (const authorization of [null, [], { ...inbound.authorization, more: [] }, { allow: [] }]) {
    const told = { base: "1", gone: [], changed: { inbound: { ...inbound, authorization } } };
    assert.throws(() => withChanges(told, before), InvalidWorkloadViewError);
  }
});

function withPolicies(
  names: readonly string[],
  methods: readonly string[] = ["GET"],
): WorkloadView {
  const view = viewOf("/one");
  const allow = names.map((name) => policy("ALLOW", name, { to: [{ methods }] }));
  const authorization = { ...view.inbound.authorization, allow };
  return { ...view, inbound: { ...view.inbound, authorization } };
}

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
