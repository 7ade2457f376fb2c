/** A few octets can stand for large heads (RFC 7541 section 6.1): what is held, and decoded at once, has limits all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  block,
  data,
  frame,
  GET,
  headers,
  integer,
  POST,
  type RecordedHttp2,
  recordedServer,
  reset,
} from "../../../test/kit/http2-frames.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { HEADS_AT_ONCE, MAX_OPEN_HEADS, MAX_STREAMS } from "./limits.ts";

const VALUE = "y".repeat(4_000);
/** Fields of 4,000 octets that one octet stands for, in each head: nearly all that a head may have. */
const REFERENCES = Buffer.alloc(14, 0xbe);
const ENDED = FLAG.END_HEADERS | FLAG.END_STREAM;

/** Puts the field into the dynamic table. */
function begun(): RecordedHttp2 {
  const recorded = recordedServer();
  const indexed = Buffer.concat([
    block(...GET),
    Buffer.from([0x40, 6]),
    Buffer.from("x-tier", "latin1"),
    integer(0x7f, 0, VALUE.length),
    Buffer.from(VALUE, "latin1"),
  ]);
  recorded.receive(frame(FRAME.HEADERS, ENDED, 1, indexed));
  return recorded;
}

const referring = (id: number, flags: number = ENDED): Buffer =>
  frame(FRAME.HEADERS, flags, id, Buffer.concat([block(...GET), REFERENCES]));

test("heads of open streams are held up to a limit, and refused beyond; those that end make room", () => {
  const recorded = begun();
  for (let id = 3; id < 2_001; id += 2) recorded.receive(referring(id));
  const { connection } = recorded;
  assert.ok(connection.openHeads <= MAX_OPEN_HEADS, String(connection.openHeads));
  assert.ok(connection.openHeads > MAX_OPEN_HEADS - 65_536, String(connection.openHeads));
  const refused = recorded.take().filter((one) => one.endsWith("REFUSED_STREAM"));
  assert.equal(refused.length, 1_000 - connection.openStreams);
  assert.ok(refused.length > 800, String(refused.length));
  assert.ok(!connection.isOver);
  recorded.receive(reset(3, ERROR_CODE.CANCEL), referring(2_001));
  assert.match(recorded.told.at(-1) ?? "", /^head 2001 last/);
  const answer = new FieldBlock();
  answer.response(204);
  for (const stream of recorded.streams.values()) connection.sendHead(stream, answer, "last");
  assert.deepEqual([connection.openStreams, connection.openHeads], [0, 0]);
});

test(`${MAX_STREAMS} streams of ordinary heads are taken, of 8 KB each`, () => {
  const recorded = recordedServer();
  for (let id = 1; id < 2 * MAX_STREAMS; id += 2)
    recorded.receive(headers(id, [...GET, ["x-token", "t".repeat(8_000)]]));
  assert.equal(recorded.connection.openStreams, MAX_STREAMS);
});

test("trailers count with heads: those that are too much end their stream", () => {
  const recorded = begun();
  for (let id = 3; id < 501; id += 2) {
    recorded.receive(headers(id, POST, "more"), data(id, "x"));
    recorded.receive(frame(FRAME.HEADERS, ENDED, id, REFERENCES));
  }
  const { openHeads, isOver } = recorded.connection;
  assert.ok(openHeads <= MAX_OPEN_HEADS && !isOver, String(openHeads));
  const ended = recorded.take().filter((one) => one.endsWith("ENHANCE_YOUR_CALM"));
  const taken = recorded.told.filter((one) => one.startsWith("trailers "));
  assert.ok(ended.length > 90, String(ended.length));
  assert.equal(taken.length + ended.length, 249);
});

test("what asks for much decoding is read in parts, and nothing of it is lost", () => {
  const recorded = begun();
  const { connection } = recorded;
  const count = 100;
  const bytes = Buffer.concat(Array.from({ length: count }, (_, at) => referring(3 + 2 * at)));
  const most = Math.ceil(HEADS_AT_ONCE / (REFERENCES.length * VALUE.length));
  let parts = 0;
  for (let at = 0; at < bytes.length; parts++) {
    const before = connection.openStreams;
    at = connection.receiveSome(bytes, at, bytes.length);
    assert.ok(connection.openStreams - before <= most, `${connection.openStreams - before} heads`);
  }
  assert.equal(connection.openStreams, 1 + count);
  assert.ok(parts >= count / most, String(parts));
});

test("ordinary requests are read at once", () => {
  const recorded = recordedServer();
  const bytes = Buffer.concat(Array.from({ length: 500 }, (_, at) => headers(1 + 2 * at, GET)));
  assert.equal(recorded.connection.receiveSome(bytes, 0, bytes.length), bytes.length);
});
