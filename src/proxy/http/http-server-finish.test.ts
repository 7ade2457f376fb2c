import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { finishAtEndOfTurn } from "./http-server-finish.ts";
import type { RequestSink } from "./streams.ts";

const sink = (finished: () => void): RequestSink => ({
  data: () => {},
  trailers: () => {},
  aborted: () => {},
  writable: () => {},
  finished,
});

test("one that throws when it is over does not keep the others from hearing that they are", async () => {
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  const finished: number[] = [];
  for (let index = 0; index < 4; index++) {
    const tell = sink(() => {
      finished.push(index);
      if (index === 1) throw new Error("a defect");
    });
    finishAtEndOfTurn(tell);
  }
  assert.match(String(await thrown), /a defect/);
  await eventually("all of them", () => finished.length === 4);
  for (const listener of before) process.on("uncaughtException", listener);
  assert.deepEqual(finished, [0, 1, 2, 3]);
});
