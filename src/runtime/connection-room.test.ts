import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectionRoom } from "./connection-room.ts";

function roomOf(size: number) {
  const givenUp: Socket[] = [];
  return {
    room: new ConnectionRoom({ size, onMadeRoom: (socket) => givenUp.push(socket) }),
    givenUp,
  };
}

test("the one that has been idle longest gives way, and is closed", () => {
  const { room, givenUp } = roomOf(2);
  const [first, second, third] = [new Socket(), new Socket(), new Socket()];
  room.enter(first)?.renew();
  room.enter(second);
  assert.ok(room.enter(third));
  assert.deepEqual(givenUp, [first]);
  assert.equal(first.destroyed, true);
  assert.equal(second.destroyed, false);
});

test("a renewed one counts as new", () => {
  const { room, givenUp } = roomOf(2);
  const [first, second] = [new Socket(), new Socket()];
  const place = room.enter(first);
  room.enter(second);
  place?.renew();
  room.enter(new Socket());
  assert.deepEqual(givenUp, [second]);
});

test("whoever is worked for stays, and where all are the newcomer goes", () => {
  const { room, givenUp } = roomOf(1);
  const [first, second, third] = [new Socket(), new Socket(), new Socket()];
  const place = room.enter(first);
  place?.busy();
  assert.equal(room.enter(second), undefined);
  place?.idle();
  assert.ok(room.enter(third));
  assert.deepEqual(givenUp, [second, first]);
});

test("whoever holds most gives way, busy or not, to one who holds less", () => {
  const { room, givenUp } = roomOf(4);
  const few = new Socket();
  room.enter(few, "few");
  const many = [new Socket(), new Socket(), new Socket()];
  for (const socket of many) room.enter(socket, "many")?.busy();
  assert.ok(room.enter(new Socket(), "few"));
  assert.deepEqual(givenUp, [many[0]]);
  assert.equal(
    room.enter(new Socket(), "many"),
    undefined,
    "2 and 2: nobody holds more than it would",
  );
});

test("the idle are closed in time, those who are worked for are not", () => {
  const { room, givenUp } = roomOf(4);
  const [idle, busy] = [new Socket(), new Socket()];
  room.enter(idle);
  room.enter(busy)?.busy();
  room.closeIdleSince(performance.now());
  assert.deepEqual([idle.destroyed, busy.destroyed], [true, false]);
  assert.deepEqual(givenUp, [], "that is no lack of room");
});

test("law: as many are counted as are open, never more than there is room for", () => {
  const step = fc.record({ group: fc.constantFrom("a", "b", "c"), next: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new ConnectionRoom({ size: 5 });
      const open = new Set<EventEmitter>();
      for (const { group, next } of steps) {
        const socket = new Socket();
        const destroy = socket.destroy.bind(socket);
        socket.destroy = () => {
          open.delete(socket);
          return destroy();
        };
        const place = room.enter(socket, group);
        if (place !== undefined) open.add(socket);
        if (next === 1) place?.busy();
        if (next === 2) place?.renew();
        if (next === 3 && place !== undefined) {
          open.delete(socket);
          socket.emit("close");
        }
        assert.equal(room.count, open.size);
        assert.ok(room.count <= 5);
      }
    }),
  );
});
