/** Law: whoever receives the body last has all of it, in order, however receivers take it and whenever they change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HoldingLimit } from "./holding-limit.ts";
import type { Following } from "./received-message.ts";
import { ReplayedBody } from "./replayed-body.ts";

class Receiver {
  text = "";
  isEnded = false;
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    const taken = Math.min(this.room, to - from);
    this.room -= taken;
    this.text += bytes.toString("latin1", from, from + taken);
    if (following === "last" && taken === to - from) this.isEnded = true;
    return taken;
  }

  trailers(): void {
    this.isEnded = true;
  }
}

const step = fc.oneof(
  fc.record({ what: fc.constant("piece" as const), size: fc.nat(300) }),
  fc.record({ what: fc.constant("room" as const), size: fc.nat(500) }),
  fc.record({ what: fc.constant("another" as const), size: fc.nat(200) }),
);

test("the last receiver has everything that was taken", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const body = new ReplayedBody({ giveUp: () => {} }, new HoldingLimit(1e9));
      let receiver = new Receiver(100);
      body.setReceiver(receiver);
      let sent = "";
      for (const { what, size } of steps) {
        if (what === "piece") {
          const piece = Buffer.from(String.fromCharCode(97 + (sent.length % 26)).repeat(size));
          const taken = body.data(piece, 0, size, "more");
          sent += piece.toString("latin1", 0, taken);
        } else if (what === "room") {
          receiver.room += size;
          body.writable();
        } else {
          receiver = new Receiver(size);
          body.setReceiver(receiver);
        }
      }
      body.data(Buffer.alloc(0), 0, 0, "last");
      receiver.room = 1e9;
      body.writable();
      assert.equal(receiver.text, sent);
      assert.ok(receiver.isEnded);
      assert.ok(!body.isBehind);
    }),
    { numRuns: 300 },
  );
});

test("what is longer than is kept goes on to the receiver that is there, and to no other", () => {
  const body = new ReplayedBody({ giveUp: () => {} }, new HoldingLimit(1e9));
  const receiver = new Receiver(1e9);
  body.setReceiver(receiver);
  const piece = Buffer.alloc(60_000, "x");
  assert.equal(body.data(piece, 0, 60_000, "more"), 60_000);
  assert.ok(body.isWhole);
  assert.equal(body.data(piece, 0, 60_000, "last"), 60_000);
  assert.ok(!body.isWhole);
  assert.equal(receiver.text.length, 120_000);
  assert.ok(receiver.isEnded);
});

test("memory that all bodies share is given back, and taken away where it is short", () => {
  const limit = new HoldingLimit(1e9);
  let givenUp = 0;
  const body = new ReplayedBody({ giveUp: () => givenUp++ }, limit);
  body.setReceiver(new Receiver(5));
  body.data(Buffer.alloc(10), 0, 10, "more");
  assert.equal(limit.octets, 10);
  body.giveUp();
  assert.deepEqual([limit.octets, givenUp, body.isWhole], [0, 1, false]);
  body.close();
  assert.equal(limit.octets, 0);
});
