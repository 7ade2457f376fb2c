import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { BodyPipe, type BodyReceiver } from "./body-pipe.ts";
import { type Holder, HoldingLimit } from "./holding-limit.ts";
import type { Following } from "./received-message.ts";

/** Takes as many octets as it is told to, and asks for more when it is given room. */
class Receiver implements BodyReceiver {
  text = "";
  ended: "no" | "with its last piece" | "by trailers" = "no";
  room = 0;

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    const taken = Math.min(this.room, to - from);
    this.room -= taken;
    this.text += bytes.toString("latin1", from, from + taken);
    if (following === "last" && taken === to - from) this.ended = "with its last piece";
    return taken;
  }

  trailers(): void {
    this.ended = "by trailers";
  }
}

const NOBODY: Holder = { giveUp: () => assert.fail("there was room") };
const NO_FIELDS = {
  bytes: Buffer.alloc(0),
  count: 0,
  ranges: new Uint32Array(0),
  ids: new Uint8Array(0),
  goesOn: () => true,
};

test("whatever comes when, all of it arrives in order, ends once, and is accounted for exactly", () => {
  const event = fc.oneof(
    fc.record({ piece: fc.stringMatching(/^[a-z]{0,40}$/) }),
    fc.record({ room: fc.integer({ min: 0, max: 50 }) }),
    fc.constant("connected" as const),
  );
  const ends = fc.constantFrom("last piece", "empty piece", "trailers");
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), ends, (events, end) => {
      let consumed = 0;
      const sender = {
        consumed: (octets: number) => {
          consumed += octets;
        },
      };
      const limit = new HoldingLimit(1_000_000);
      const pipe = new BodyPipe(sender, NOBODY, limit);
      const receiver = new Receiver();
      let sent = "";
      let isConnected = false;
      const send = (text: string, following: Following): void => {
        sent += text;
        pipe.data(Buffer.from(`<<${text}>>`, "latin1"), 2, 2 + text.length, following);
      };
      for (const one of events) {
        if (one === "connected") {
          if (!isConnected) pipe.setReceiver(receiver);
          isConnected = true;
        } else if ("piece" in one) send(one.piece, "more");
        else {
          receiver.room += one.room;
          if (isConnected) pipe.writable();
        }
        assert.ok(sent.startsWith(receiver.text));
        assert.equal(consumed, receiver.text.length);
        assert.equal(receiver.ended, "no");
      }
      if (end === "trailers") pipe.trailers(NO_FIELDS);
      else send(end === "empty piece" ? "" : "end", "last");
      if (!isConnected) pipe.setReceiver(receiver);
      receiver.room += sent.length;
      pipe.writable();
      assert.equal(receiver.text, sent);
      assert.equal(consumed, sent.length);
      assert.equal(pipe.octets, sent.length);
      assert.ok(pipe.isPassedOn);
      assert.equal(limit.octets, 0);
      assert.equal(receiver.ended, end === "trailers" ? "by trailers" : "with its last piece");
    }),
    { numRuns: 300 },
  );
});

test("a body of single octets is held in little more than its own size", () => {
  const limit = new HoldingLimit(Number.POSITIVE_INFINITY);
  const pipe = new BodyPipe(undefined, NOBODY, limit);
  const octet = Buffer.from("x");
  for (let count = 0; count < 100_000; count++) pipe.data(octet, 0, 1, "more");
  assert.ok(limit.octets < 100_000 + 16_384, `${limit.octets}`);
  const receiver = new Receiver();
  receiver.room = 100_000;
  pipe.setReceiver(receiver);
  assert.equal(receiver.text, "x".repeat(100_000));
  assert.equal(limit.octets, 0);
});

/** Bodies of 1,000 octets each, of which together so many are held as may be. */
function bodies(most: number, count: number): Holding {
  const limit = new HoldingLimit(most);
  const givenUp: number[] = [];
  const pipes = Array.from({ length: count }, (_, index) => {
    const pipe = new BodyPipe(undefined, { giveUp: () => givenUp.push(index) }, limit);
    const receiver = new Receiver();
    pipe.setReceiver(receiver);
    pipe.data(Buffer.alloc(1_000, "x"), 0, 1_000, "more");
    return { pipe, receiver };
  });
  return { limit, pipes, givenUp };
}

interface Holding {
  readonly limit: HoldingLimit;
  readonly pipes: readonly { readonly pipe: BodyPipe; readonly receiver: Receiver }[];
  readonly givenUp: readonly number[];
}

test("when all bodies together hold too much, those go that have stood still for longest", async () => {
  const { limit, pipes, givenUp } = bodies(5_000, 5);
  const [first] = pipes;
  assert.ok(first);
  first.receiver.room = 1;
  first.pipe.writable();
  await nextTurn();
  assert.deepEqual(givenUp, []);
  for (const { pipe } of pipes.slice(3)) pipe.data(Buffer.alloc(1_000), 0, 1_000, "more");
  assert.deepEqual(givenUp, [], "nobody is ended in the midst of what another is told");
  await nextTurn();
  assert.deepEqual(givenUp, [1, 2]);
  assert.ok(limit.octets <= 5_000);
  pipes[1]?.pipe.data(Buffer.alloc(1_000), 0, 1_000, "more");
  assert.ok(limit.octets <= 5_000, "what was given up holds nothing any more");
});

test("a body that is closed gives back all that it held", () => {
  const { limit, pipes } = bodies(5_000, 5);
  assert.equal(limit.octets, 5_000);
  for (const { pipe } of pipes) pipe.close();
  assert.equal(limit.octets, 0);
});
