import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { ProxyPushes, type PushedStream } from "./proxy-pushes.ts";

const STREAMS = 40;

/** Streams that are behind until they were pushed, each of which takes its time. */
function openStreams() {
  const told: string[] = [];
  const behind = new Set<PushedStream>();
  const streams = Array.from({ length: STREAMS }, (): PushedStream => {
    const stream = {
      get isBehind(): boolean {
        return behind.has(stream);
      },
      pushFirst: () => told.push("first"),
      push: () => {
        const end = performance.now() + 1;
        while (performance.now() < end); // work
        behind.delete(stream);
        told.push("rest");
      },
    };
    return stream;
  });
  const views = new WatchedValue("one");
  const pushes = new ProxyPushes(views);
  // Of two kinds, as Envoys and sidecars are.
  const kinds = [streams.slice(0, STREAMS / 2), streams.slice(STREAMS / 2)];
  for (const kind of kinds) pushes.add(() => kind);
  const change = (): void => {
    for (const stream of streams) behind.add(stream);
    views.set("another");
  };
  return { told, change, isDone: () => behind.size === 0 };
}

const counted = (told: readonly string[], what: string): number =>
  told.filter((one) => one === what).length;

test("all are told what is urgent before any is told the rest", async () => {
  const { told, change, isDone } = openStreams();
  change();
  await eventually("all is told", isDone);
  assert.deepEqual(told, [
    ...Array.from({ length: STREAMS }, () => "first"),
    ...Array.from({ length: STREAMS }, () => "rest"),
  ]);
});

test("what is urgent leaves before the rest is made: that is another turn", async () => {
  const { told, change, isDone } = openStreams();
  change();
  assert.deepEqual(
    told,
    Array.from({ length: STREAMS }, () => "first"),
  );
  await eventually("all is told", isDone);
});

test("what is urgent of a second change goes ahead of the rest of the first, which goes on all the same", async () => {
  const { told, change, isDone } = openStreams();
  change();
  const before = told.length;
  assert.ok(counted(told, "rest") < STREAMS / 2, "other work may come in between");
  change();
  await eventually("all is told", isDone);
  const after = told.slice(before);
  const urgent = after.slice(0, after.lastIndexOf("first") + 1);
  assert.equal(counted(urgent, "first"), STREAMS);
  assert.equal(counted(urgent, "rest"), Math.floor(urgent.length / 4));
});

test("what one stream fails with is not lost, and keeps nothing from the others", async () => {
  const views = new WatchedValue("one");
  const pushes = new ProxyPushes(views);
  let told = 0;
  const failing: PushedStream = {
    isBehind: true,
    pushFirst: () => {
      throw new Error("a defect");
    },
    push: () => {},
  };
  const other: PushedStream = { isBehind: true, pushFirst: () => {}, push: () => told++ };
  const stop = pushes.add(() => [failing]);
  pushes.add(() => [other]);
  assert.throws(() => views.set("two"), /a defect/);
  await eventually("the other is told", () => told === 1);
  stop();
  views.set("three");
  await eventually("the other is told again", () => told === 2);
});
