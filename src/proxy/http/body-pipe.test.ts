import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BodyPipe, type BodyReceiver } from "./body-pipe.ts";
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
      const pipe = new BodyPipe({
        consumed: (octets) => {
          consumed += octets;
        },
      });
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
      assert.equal(receiver.ended, end === "trailers" ? "by trailers" : "with its last piece");
    }),
    { numRuns: 300 },
  );
});
