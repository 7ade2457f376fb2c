/** How many keys of a limit there can be, by a clock that the tests move. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyRoom } from "./key-room.ts";
import { LimitRooms } from "./limit-rooms.ts";
import { MemoryCounters } from "./memory-counters.ts";

test("whoever finds no room shares one place with all others who do not", () => {
  const room = new KeyRoom<string>(100, 3);
  const enter = (key: string, now: number) =>
    room.enter(key, { now, newcomers: "welcome", make: () => `made for ${key}` });
  for (const key of ["a", "b", "c"]) assert.equal(enter(key, 0).key, key);
  assert.deepEqual(enter("d", 10), { key: "crowd", value: "made for d" });
  assert.deepEqual(enter("e", 10), { key: "crowd", value: "made for d" });
  assert.deepEqual(enter("a", 10), { key: "a", value: "made for a" });
  assert.equal(room.size, 4);
});

test("what nobody asked for as long as it takes to be new again is forgotten, the others stay", () => {
  const room = new KeyRoom<number>(100, 2);
  let made = 0;
  const enter = (key: string, now: number) =>
    room.enter(key, { now, newcomers: "welcome", make: () => ++made }).value;
  assert.deepEqual([enter("a", 0), enter("b", 50), enter("a", 60)], [1, 2, 1]);
  assert.equal(enter("c", 150), 3, "b was last asked for at 50");
  assert.equal(enter("a", 159), 1);
  assert.equal(enter("a", 259), 4);
});

test("all limits together have so many keys; each has one place for those who find none", () => {
  const rooms = new LimitRooms<string>(3);
  const enter = (limit: string, key: string, now = 0) => {
    const count = { limit, key, rate: 1, burst: 1, identity: "", hits: 1 } as const;
    return rooms.enter({ ...count, advance: "unwelcome" }, now, () => limit).key;
  };
  const keys = [
    enter("a", "1"),
    enter("b", "1"),
    enter("b", "2"),
    enter("a", "2"),
    enter("b", "3"),
  ];
  assert.deepEqual(keys, ["1", "1", "2", "crowd", "crowd"]);
  assert.equal(enter("a", "1"), "1");
  assert.equal(enter("a", "new", 60_000), "new", "those of b are forgotten, too");
});

test("a stranger who counts under ever new keys does not spend what others have, nor gains more than one bucket", async () => {
  let now = 0;
  const counters = new MemoryCounters(() => now);
  const take = (key: string) =>
    counters.take({
      ...{ limit: "shop/checkout/per-user", key, rate: 1 / 60_000, burst: 1 },
      ...{ identity: "", hits: 1, advance: "unwelcome" },
    });
  assert.equal((await take("ann")).granted, 1);
  let granted = 0;
  for (let key = 0; key < 12_000; key++) granted += (await take(`stranger ${key}`)).granted;
  assert.equal(granted, 9_999 + 1);
  assert.equal((await take("ann")).granted, 0);
  now += 60_000;
  assert.equal((await take("ann")).granted, 1);
});
