import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { SharedRun } from "./shared-run.ts";

test("however many ask, one run is under way, and those that come meanwhile share the next", async () => {
  const runs: number[][] = [];
  let running = 0;
  let end: () => void = () => {};
  const isToEnd = new Promise<void>((resolve) => {
    end = resolve;
  });
  const shared = new SharedRun<number, string>(async (questions) => {
    assert.equal(++running, 1);
    runs.push([...questions]);
    await isToEnd;
    running--;
    return new Map([...questions].filter((one) => one < 5).map((one) => [one, `answer ${one}`]));
  });
  const first = [shared.ask(1), shared.ask(2), shared.ask(2)];
  await eventually("the first run", () => runs.length === 1);
  const second = [shared.ask(3), shared.ask(5)];
  end();
  assert.deepEqual(await Promise.all(first), ["answer 1", "answer 2", "answer 2"]);
  assert.deepEqual(await Promise.all(second), ["answer 3", undefined]);
  assert.deepEqual(runs, [
    [1, 2],
    [3, 5],
  ]);
});

test("a run that fails fails for those who asked, and for nobody after them", async () => {
  let runs = 0;
  const shared = new SharedRun<string, string>((questions) => {
    if (++runs === 1) throw new Error("not today");
    return new Map([...questions].map((one) => [one, one]));
  });
  await assert.rejects(shared.ask("a"), /not today/);
  assert.equal(await shared.ask("b"), "b");
});
