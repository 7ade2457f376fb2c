import assert from "node:assert/strict";
import { test } from "node:test";
import { ProxyTurns } from "./proxy-turns.ts";

const staying = new AbortController().signal;

test("turns are taken in the order of asking, so many at once", async () => {
  const turns = new ProxyTurns(2);
  const order: string[] = [];
  const take = async (name: string) => {
    const end = await turns.take(name, staying);
    order.push(name);
    return end;
  };
  const [one, , three] = [take("one"), take("two"), take("three")];
  const end = await one;
  assert.equal(turns.waiting, 1);
  end();
  await three;
  assert.deepEqual(order, ["one", "two", "three"]);
  end(); // has been given back before
  void take("four");
  assert.equal(turns.waiting, 1);
});

test("who leaves while waiting holds up nobody", async () => {
  const turns = new ProxyTurns(1);
  const end = await turns.take("one", staying);
  const leaving = new AbortController();
  const left = turns.take("two", leaving.signal);
  const next = turns.take("three", staying);
  leaving.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  end();
  await next;
});

test("who has a turn waits for its own end, and holds up nobody else", async () => {
  const turns = new ProxyTurns(2);
  const end = await turns.take("greedy", staying);
  let isAdmitted = false;
  const again = turns.take("greedy", staying).then(() => {
    isAdmitted = true;
  });
  const endOther = await turns.take("other", staying);
  endOther();
  await turns.take("third", staying);
  assert.equal(isAdmitted, false);
  end();
  await again;
});
