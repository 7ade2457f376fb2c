import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { stageStore } from "../../../../test/kit/api-server-stage.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { SERVED_KINDS } from "../../api-server/kinds/served-kinds.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { kindOf, placeOf } from "../object-key.ts";
import { EventRecorder } from "./event-recorder.ts";
import type { Happening } from "./happening.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

function staged(context: TestContext, maxEvents?: number) {
  const clock = { time: START, now: () => new Date(clock.time) };
  const store = stageStore({ clock });
  const recorder = new EventRecorder(store, maxEvents === undefined ? {} : { maxEvents });
  context.after(() => recorder.close());
  const events = (): readonly KubernetesObject[] => store.list(served("Event"), "shop");
  return { clock, store, recorder, events };
}

function served(kind: string) {
  const found = kindOf({ apiVersion: "v1", kind }, SERVED_KINDS);
  assert.ok(found);
  return found;
}

function write(store: ObjectStore, after: KubernetesObject): void {
  const place = placeOf(after, served(after.kind));
  store.commit({ ...place, before: store.get(place), after });
}

function happening(message: string, name = "api-0"): Happening {
  return {
    about: { apiVersion: "v1", kind: "Pod", namespace: "shop", name, uid: "u" },
    type: "Warning",
    reason: "BackOff",
    message,
    component: "kubelet",
  };
}

test("what happens again is counted in one Event", (context) => {
  const { clock, recorder, events } = staged(context);
  recorder.record(happening("again"));
  clock.time += 5_000;
  recorder.record({ ...happening("again"), times: 3 });
  recorder.record(happening("something else"));
  const [first, ...others] = [...events()].sort((one) => (one["message"] === "again" ? -1 : 1));
  assert.equal(others.length, 1);
  assert.deepEqual(
    [first?.["count"], first?.["firstTimestamp"], first?.["lastTimestamp"]],
    [4, "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"],
  );
  assert.deepEqual(first?.["involvedObject"], {
    apiVersion: "v1",
    kind: "Pod",
    namespace: "shop",
    name: "api-0",
    uid: "u",
  });
});

test("an hour after it was seen last, an Event is gone, whoever wrote it", (context) => {
  const { clock, store, recorder, events } = staged(context);
  recorder.record(happening("once"));
  recorder.record(happening("often"));
  const metadata = { name: "own", namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" };
  const lastTimestamp = "2999-01-01T00:00:00Z"; // a claim
  write(store, { apiVersion: "v1", kind: "Event", metadata, lastTimestamp });
  clock.time += 50 * 60_000;
  recorder.record(happening("often"));
  clock.time += 11 * 60_000;
  recorder.forgetOld();
  assert.deepEqual(
    events().map(({ message, count }) => [message, count]),
    [["often", 2]],
  );
  recorder.record(happening("once"));
  assert.equal(events().length, 2);
});

test("there are never more than so many: the oldest go", (context) => {
  const { clock, recorder, events } = staged(context, 10);
  for (let index = 0; index < 25; index++) {
    clock.time += 1_000;
    recorder.record(happening(`${index}`));
    assert.ok(events().length <= 10);
  }
  assert.ok(events().some(({ message }) => message === "24"));
  assert.ok(!events().some(({ message }) => message === "0"));
});

test("a namespace that is gone, or about to be, is not kept by what happens in it", (context) => {
  const { store, recorder, events } = staged(context);
  recorder.record({
    ...happening("elsewhere"),
    about: { apiVersion: "v1", kind: "Pod", namespace: "nowhere", name: "api-0" },
  });
  assert.equal(store.list(served("Event")).length, 0);
  const metadata = { name: "shop", deletionTimestamp: "2026-01-01T00:00:00Z" };
  write(store, { apiVersion: "v1", kind: "Namespace", metadata });
  recorder.record(happening("too late"));
  assert.equal(events().length, 0);
});

test("long names and long messages fit", (context) => {
  const { recorder, events } = staged(context);
  recorder.record(happening("m".repeat(5_000), "n".repeat(253)));
  const [event] = events();
  assert.equal(String(event?.["message"]).length, 1_024);
  assert.ok((event?.metadata.name ?? "").length <= 253);
});
