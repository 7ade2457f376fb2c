import assert from "node:assert/strict";
import { test } from "node:test";
import { PodPlaces } from "./pod-places.ts";

const staying = (): AbortSignal => new AbortController().signal;

test("a pod has so many streams and no more, whatever others have, until one of them is gone", () => {
  const places = new PodPlaces();
  const gone = new AbortController();
  places.take("shop/greedy-0", gone.signal);
  for (let count = 1; count < 32; count++) places.take("shop/greedy-0", staying());
  assert.throws(() => places.take("shop/greedy-0", staying()), /at most 32 streams/);
  places.take("shop/other-0", staying());
  gone.abort();
  places.take("shop/greedy-0", staying());
  assert.throws(() => places.take("shop/greedy-0", staying()), /at most 32 streams/);
});
