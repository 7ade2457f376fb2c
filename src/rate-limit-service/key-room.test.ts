/** How many keys of a limit there can be, by a clock that the tests move. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Count } from "./counters.ts";
import { CROWDS, KeyRoom, MAX_KEYS } from "./key-room.ts";
import { LimitRooms, OWN_KEYS } from "./limit-rooms.ts";
import { MemoryCounters } from "./memory-counters.ts";

test("whoever finds no room shares one place with all others who do not", () => {
  const room = new KeyRoom<string>({ lifeMs: 100, maxKeys: 3, crowds: 1 });
  const enter = (key: string, now: number) =>
    room.enter(key, { now, newcomers: "welcome", make: () => `made for ${key}` });
  for (const key of ["a", "b", "c"]) assert.equal(enter(key, 0).key, key);
  assert.deepEqual(enter("d", 10), { key: "crowd-0", value: "made for d" });
  assert.deepEqual(enter("e", 10), { key: "crowd-0", value: "made for d" });
  assert.deepEqual(enter("a", 10), { key: "a", value: "made for a" });
  assert.equal(room.size, 4);
});

test("what nobody asked for as long as it takes to be new again is forgotten, the others stay", () => {
  const room = new KeyRoom<number>({ lifeMs: 100, maxKeys: 2 });
  let made = 0;
  const enter = (key: string, now: number) =>
    room.enter(key, { now, newcomers: "welcome", make: () => ++made }).value;
  assert.deepEqual([enter("a", 0), enter("b", 50), enter("a", 60)], [1, 2, 1]);
  assert.equal(enter("c", 150), 3, "b was last asked for at 50");
  assert.equal(enter("a", 159), 1);
  assert.equal(enter("a", 259), 4);
});

test("all limits together have so many keys; each has one place for those who find none", () => {
  const rooms = new LimitRooms<string>({ maxKeys: 3, ownKeys: 0, crowds: 1 });
  const enter = (limit: string, key: string, now = 0) => {
    const count = { limit, key, rate: 1, burst: 1, identity: "", fair: false, hits: 1 } as const;
    return rooms.enter({ ...count, advance: "unwelcome" }, now, () => limit).key;
  };
  const keys = [
    enter("a", "1"),
    enter("b", "1"),
    enter("b", "2"),
    enter("a", "2"),
    enter("b", "3"),
  ];
  assert.deepEqual(keys, ["1", "1", "2", "crowd-0", "crowd-0"]);
  assert.equal(enter("a", "1"), "1");
  assert.equal(enter("a", "new", 60_000), "new", "those of b are forgotten, too");
});

test("a stranger who counts under ever new keys does not spend what others have, nor gains more than the crowds have", async () => {
  let now = 0;
  const counters = new MemoryCounters(() => now);
  const take = (key: string) =>
    counters.take({
      ...{ limit: "shop/checkout/per-user", key, rate: 1 / 60_000, burst: 1 },
      ...{ identity: "", fair: false, hits: 1, advance: "unwelcome" },
    });
  assert.equal((await take("ann")).granted, 1);
  let granted = 0;
  for (let key = 0; key < 20_000; key++) granted += (await take(`stranger ${key}`)).granted;
  assert.ok(granted > MAX_KEYS && granted <= MAX_KEYS - 1 + CROWDS, `${granted}`);
  assert.equal((await take("ann")).granted, 0);
  now += 60_000;
  assert.equal((await take("ann")).granted, 1);
});

test("whoever comes new when strangers have all the room shares with few, and nobody can tell with whom", () => {
  const room = new KeyRoom<undefined>({ lifeMs: 100, maxKeys: 1, crowds: 64 });
  const enter = (key: string) =>
    room.enter(key, { now: 0, newcomers: "welcome", make: () => undefined }).key;
  enter("first");
  const places = Array.from({ length: 640 }, (_, key) => enter(`key ${key}`));
  assert.equal(new Set(places).size, 64);
  const most = Math.max(
    ...[...new Set(places)].map((one) => places.filter((place) => place === one).length),
  );
  assert.ok(most < 40, `${most} of 640 in one place, where 10 are to be expected`);
  assert.equal(enter("key 7"), places[7]);
  const other = new KeyRoom<undefined>({ lifeMs: 100, maxKeys: 0, crowds: 64 });
  const elsewhere = Array.from(
    { length: 640 },
    (_, key) =>
      other.enter(`key ${key}`, { now: 0, newcomers: "welcome", make: () => undefined }).key,
  );
  assert.notDeepEqual(elsewhere, places);
});

const countOf = (limit: string, key: string): Count => ({
  ...{ limit, key, rate: 1, burst: 1, identity: "", fair: false, hits: 1, advance: "unwelcome" },
});

test("a workload whose limits have all the room there is leaves each other limit some of its own", () => {
  const rooms = new LimitRooms<string>({ maxKeys: 300, crowds: 1 });
  const enter = (limit: string, key: string): string =>
    rooms.enter(countOf(limit, key), 0, () => limit).key;
  for (let key = 0; key < 300; key++) enter("greedy", `${key}`);
  assert.equal(enter("greedy", "more"), "crowd-0");
  const places = Array.from({ length: OWN_KEYS + 20 }, (_, key) => enter("modest", `${key}`));
  assert.equal(places.indexOf("crowd-0"), OWN_KEYS);
});

test("of too many limits the one that was not asked about for longest is forgotten", () => {
  const rooms = new LimitRooms<string>({ maxLimits: 2 });
  let made = 0;
  const enter = (limit: string): string =>
    rooms.enter(countOf(limit, "a"), 0, () => `${++made}`).value;
  const values = ["a", "b", "a", "c", "a", "b"].map(enter);
  assert.deepEqual(values, ["1", "2", "1", "3", "1", "4"]);
});

test("who looks enters no room, and finds what is there", () => {
  const rooms = new LimitRooms<string>({ maxKeys: 1, ownKeys: 0, crowds: 1 });
  assert.deepEqual(rooms.find(countOf("a", "1"), 0), { key: "1" });
  rooms.enter(countOf("a", "1"), 0, () => "first");
  assert.deepEqual(rooms.find(countOf("a", "1"), 0), { key: "1", value: "first" });
  assert.deepEqual(rooms.find(countOf("a", "2"), 0), { key: "crowd-0" });
  assert.deepEqual(rooms.find(countOf("a", "1"), 60_000), { key: "1" });
});
