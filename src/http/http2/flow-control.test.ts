/** What windows must add up to, whatever happens to the streams (RFC 9113 section 6.9). */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  data,
  frame,
  framesOf,
  headers,
  opening,
  POST,
  RecordedHttp2,
  reset,
} from "../../../test/kit/http2-frames.ts";
import { FLAG, FRAME } from "./frame.ts";
import { CONNECTION_WINDOW, MAX_FRAME_SIZE, STREAM_WINDOW } from "./limits.ts";

const octets = fc.oneof(fc.nat(MAX_FRAME_SIZE - 300), fc.nat(20));
/** In each step a stream gets something, and perhaps its owner, or its peer, does something. */
const step = fc.record({
  stream: fc.nat(6),
  octets,
  padding: fc.option(fc.nat(200), { nil: undefined }),
  next: fc.constantFrom("consume", "consume", "consume", "keep", "reset", "be reset", "end"),
});

function dataFrame(id: number, length: number, padding: number | undefined): Buffer {
  if (padding === undefined) return data(id, Buffer.alloc(length));
  const payload = Buffer.concat([Buffer.from([padding]), Buffer.alloc(length + padding)]);
  return frame(FRAME.DATA, FLAG.PADDED, id, payload);
}

test("whatever happens, windows are neither lost nor given back twice", () => {
  const law = fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const recorded = new RecordedHttp2("server").receive(opening("client"));
    recorded.takeBytes();
    const kept = new Map<number, number>();
    /** Of each stream, and of the connection as 0. */
    const received = new Map<number, number>();
    const credited = new Map<number, number>();
    const add = (sums: Map<number, number>, id: number, amount: number): void => {
      sums.set(id, (sums.get(id) ?? 0) + amount);
    };
    recorded.onData = ({ id }, amount) => add(kept, id, amount);
    const consume = (id: number): void => {
      const stream = recorded.streams.get(id);
      if (stream !== undefined) recorded.connection.consumed(stream, kept.get(id) ?? 0);
      kept.delete(id);
    };
    const collect = (): void => {
      for (const { type, id, payload } of framesOf(recorded.takeBytes())) {
        if (type === "WINDOW_UPDATE") add(credited, id, payload.readUInt32BE(0));
      }
    };
    let next = 1;
    const ids = new Map<number, number>();
    for (const { stream, octets: length, padding, next: what } of steps) {
      let id = ids.get(stream) ?? 0;
      const isLate = id !== 0 && recorded.stream(id).isClosed;
      if (id === 0) {
        id = next;
        next += 2;
        ids.set(stream, id);
        recorded.receive(headers(id, POST, "more"));
      }
      const size = length + (padding === undefined ? 0 : padding + 1);
      const window = CONNECTION_WINDOW + (credited.get(0) ?? 0) - (received.get(0) ?? 0);
      const own = STREAM_WINDOW + (credited.get(id) ?? 0) - (received.get(id) ?? 0);
      if (size > window || size > own) consume(id);
      else {
        recorded.receive(dataFrame(id, length, padding));
        add(received, 0, size);
        add(received, id, size);
      }
      if (what === "consume") consume(id);
      else if (what === "reset" && !isLate) recorded.connection.reset(recorded.stream(id), 8);
      else if (what === "be reset" && !isLate) recorded.receive(reset(id, 0));
      else if (what === "end" && !isLate) recorded.receive(data(id, "", "last"));
      if (isLate || what === "be reset" || what === "end") ids.delete(stream);
      if (isLate || what === "reset" || what === "be reset") consume(id);
      collect();
      assert.ok(!recorded.connection.isOver, recorded.told.at(-1));
      assert.ok((credited.get(0) ?? 0) <= (received.get(0) ?? 0), "given back twice");
    }
    for (const id of kept.keys()) consume(id);
    collect();
    assert.ok((received.get(0) ?? 0) - (credited.get(0) ?? 0) < CONNECTION_WINDOW / 2, "lost");
    for (const [id, amount] of received) {
      assert.ok((credited.get(id) ?? 0) <= amount, `stream ${id} given back twice`);
    }
  });
  fc.assert(law, { numRuns: 150 });
});

/** What WINDOW_UPDATE has given back, on a stream or on the connection as 0. */
function givenBack(recorded: RecordedHttp2, on: number): number {
  return framesOf(recorded.takeBytes())
    .filter(({ type, id }) => type === "WINDOW_UPDATE" && id === on)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
}

function server(): RecordedHttp2 {
  const recorded = new RecordedHttp2("server").receive(opening("client"), headers(1, POST, "more"));
  recorded.takeBytes();
  recorded.onData = () => {};
  return recorded;
}

test("padding, and the octet that says how long it is, are given back at once", () => {
  const recorded = server();
  const times = Math.ceil(STREAM_WINDOW / 2 / 255);
  for (let time = 0; time < times; time++) recorded.receive(dataFrame(1, 0, 254));
  assert.equal(givenBack(recorded, 1), 255 * times);
});

const full = Buffer.alloc(MAX_FRAME_SIZE);
const half = CONNECTION_WINDOW / 2 / MAX_FRAME_SIZE;

test("what comes late, on a stream that we have reset, is given back", () => {
  const recorded = server();
  recorded.connection.reset(recorded.stream(1), 8);
  for (let time = 0; time < half; time++) recorded.receive(data(1, full));
  assert.equal(givenBack(recorded, 0), half * MAX_FRAME_SIZE);
});

test("what a stream held that was reset is given back once, though the owner consumes it later", () => {
  const recorded = server();
  for (const id of [3, 5, 7]) {
    recorded.receive(headers(id, POST, "more"));
    for (let time = 0; time < half / 2; time++) recorded.receive(data(id, full));
    const stream = recorded.stream(id);
    recorded.connection.reset(stream, 8);
    recorded.connection.consumed(stream, STREAM_WINDOW);
  }
  assert.equal(givenBack(recorded, 0), half * MAX_FRAME_SIZE);
});
