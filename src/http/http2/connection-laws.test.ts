/** What holds of a connection whatever is said on it, and however it is cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  block,
  data,
  type Field,
  frame,
  GET,
  goaway,
  headers,
  opening,
  POST,
  ping,
  RecordedHttp2,
  reset,
  settings,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import { FLAG, FRAME, FRAME_HEADER } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { DYNAMIC_TABLE_SIZE, MAX_BLOCK, MAX_FRAME_SIZE, MAX_OUTPUT } from "./limits.ts";
import { SETTING } from "./peer-settings.ts";

const id = fc.constantFrom(1, 3, 5, 7);
const ending = fc.constantFrom("more" as const, "last" as const);
const field: fc.Arbitrary<Field> = fc.constantFrom<Field>(
  ["accept", "*/*"],
  ["x-id", "7"],
  ["content-length", "4"],
  ["te", "trailers"],
);
const whole: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .tuple(id, fc.array(field, { maxLength: 3 }), ending)
    .map(([on, more, end]) => headers(on, [...POST, ...more], end)),
  fc.tuple(id, fc.array(field, { maxLength: 2 })).map(([on, more]) => headers(on, more)),
  fc.tuple(id, fc.string({ maxLength: 40 }), ending).map(([on, body, end]) => data(on, body, end)),
  fc
    .tuple(id, fc.nat(20), ending)
    .map(([on, padding, end]) =>
      frame(
        FRAME.DATA,
        FLAG.PADDED | (end === "last" ? 1 : 0),
        on,
        Buffer.concat([Buffer.from([padding]), Buffer.alloc(padding + 4)]),
      ),
    ),
  fc
    .tuple(id, fc.array(field, { maxLength: 3 }))
    .map(([on, more]) =>
      Buffer.concat([
        frame(FRAME.HEADERS, FLAG.END_STREAM, on, block(...GET).subarray(0, 20)),
        frame(FRAME.CONTINUATION, 0, on, block(...GET).subarray(20)),
        frame(FRAME.CONTINUATION, FLAG.END_HEADERS, on, block(...more)),
      ]),
    ),
  id.map((on) => reset(on, 8)),
  fc.tuple(fc.constantFrom(0, 1, 3), fc.nat(5)).map(([on, by]) => windowUpdate(on, by)),
  fc.constant(ping()),
  fc.constant(goaway(3, 0)),
  fc.nat(100).map((size) => settings([SETTING.INITIAL_WINDOW_SIZE, size])),
  fc
    .tuple(fc.nat(20), fc.nat(255), fc.nat(8), fc.uint8Array({ maxLength: 30 }))
    .map(([type, flags, on, payload]) => frame(type, flags, on, payload)),
);
/** Rare: most of what is said should come through. */
const garbage = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const said = fc
  .array(fc.oneof({ weight: 30, arbitrary: whole }, { weight: 1, arbitrary: garbage }), {
    maxLength: 25,
  })
  .map((parts) => Buffer.concat([opening("client"), ...parts]));

function outcome(bytes: Buffer, cuts: readonly number[]): unknown {
  const recorded = new RecordedHttp2("server");
  const places = [
    ...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]),
  ].sort((a, b) => a - b);
  for (let at = 1; at < places.length; at++) {
    const piece = Buffer.from(bytes.subarray(places[at - 1], places[at]));
    recorded.connection.receive(piece, 0, piece.length);
    piece.fill(0xee);
  }
  return {
    told: recorded.told,
    sent: recorded.takeBytes().toString("hex"),
    open: recorded.connection.openStreams,
  };
}

test("however the bytes are cut, the callbacks and the answers are the same", () => {
  const law = fc.property(said, fc.array(fc.nat(), { maxLength: 30 }), (bytes, cuts) => {
    assert.deepEqual(outcome(bytes, cuts), outcome(bytes, []));
  });
  fc.assert(law, { numRuns: 400 });
});

test("and when they come one by one", () => {
  const law = fc.property(said, (bytes) => {
    assert.deepEqual(
      outcome(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
      outcome(bytes, []),
    );
  });
  fc.assert(law, { numRuns: 100 });
});

/** A frame and a block in the making, a table with its slots, and output; `limits.ts`. */
const MOST_HELD =
  FRAME_HEADER + MAX_FRAME_SIZE + MAX_BLOCK + 3 * DYNAMIC_TABLE_SIZE + MAX_OUTPUT + 65_536;

test("whatever is said, a connection holds no more than its limits", () => {
  const long = fc
    .tuple(fc.nat(12), fc.nat(255), id, fc.nat(MAX_FRAME_SIZE))
    .map(([type, flags, on, length]) => frame(type, flags, on, Buffer.alloc(length, 0x41)));
  const law = fc.property(fc.array(fc.oneof(whole, long), { maxLength: 60 }), (parts) => {
    const recorded = new RecordedHttp2("server").receive(opening("client"));
    for (const part of parts) {
      recorded.receive(part.subarray(0, part.length - 1));
      assert.ok(recorded.connection.held <= MOST_HELD);
      recorded.receive(part.subarray(part.length - 1));
    }
  });
  fc.assert(law, { numRuns: 200 });
});

interface Plan {
  readonly up: readonly number[];
  readonly down: readonly number[];
  readonly window: number;
  readonly cut: number;
}

/** Moves bytes both ways, in pieces, until neither has any. */
function converse(
  client: RecordedHttp2,
  server: RecordedHttp2,
  { cut, meanwhile }: { cut: number; meanwhile: () => void },
): void {
  for (let quiet = 0; quiet < 3; ) {
    const [up, down] = [client.takeBytes(), server.takeBytes()];
    quiet = up.length + down.length === 0 ? quiet + 1 : 0;
    for (let at = 0; at < up.length; at += cut)
      server.connection.receive(up, at, Math.min(up.length, at + cut));
    for (let at = 0; at < down.length; at += cut)
      client.connection.receive(down, at, Math.min(down.length, at + cut));
    meanwhile();
  }
}

test("between two of ours all bodies arrive whole, whatever the windows and the pace", () => {
  const size = fc.oneof(fc.nat(100), fc.nat(400_000));
  const plan: fc.Arbitrary<Plan> = fc.record({
    up: fc.array(size, { minLength: 1, maxLength: 5 }),
    down: fc.array(size, { minLength: 5, maxLength: 5 }),
    window: fc.constantFrom(1_000, 65_535, 1_000_000),
    cut: fc.constantFrom(777, 16_384, 1_000_000),
  });
  fc.assert(fc.property(plan, exchangeAll), { numRuns: 60 });
});

function exchangeAll({ up, down, window, cut }: Plan): void {
  const [client, server] = [new RecordedHttp2("client"), new RecordedHttp2("server")];
  const head = new FieldBlock();
  const got = new Map<string, number>();
  const toSend = new Map<string, number>();
  const held: (() => void)[] = [];
  for (const [side, recorded] of [
    ["client", client],
    ["server", server],
  ] as const) {
    const push = (stream: { readonly id: number }): void => {
      const key = `${side} ${stream.id}`;
      const left = toSend.get(key) ?? 0;
      const piece = {
        bytes: Buffer.alloc(left, stream.id),
        from: 0,
        to: left,
        following: "last",
      } as const;
      const actual = recorded.streams.get(stream.id);
      if (actual !== undefined) toSend.set(key, left - recorded.connection.sendData(actual, piece));
    };
    recorded.onWritable = push;
    recorded.onData = (stream, octets) => {
      const key = `${side} ${stream.id}`;
      got.set(key, (got.get(key) ?? 0) + octets);
      held.push(() => recorded.connection.consumed(stream, octets));
    };
  }
  client.connection.receive(settings([SETTING.INITIAL_WINDOW_SIZE, window]), 0, 15);
  for (const [at, octets] of up.entries()) {
    head.request("POST", "http");
    head.authority("a");
    head.path("/");
    const stream = client.connection.open(head, "more", 0);
    client.streams.set(stream.id, stream);
    toSend.set(`client ${stream.id}`, octets);
    toSend.set(`server ${stream.id}`, down[at] ?? 0);
    client.onWritable(stream);
  }
  const answered = new Set<number>();
  const meanwhile = (): void => {
    for (const consume of held.splice(0, 7)) consume();
    for (const stream of server.streams.values()) {
      if (answered.has(stream.id)) continue;
      answered.add(stream.id);
      head.response(200);
      server.connection.sendHead(stream, head, "more");
      server.onWritable(stream);
    }
  };
  do converse(client, server, { cut, meanwhile });
  while (held.length > 0);
  for (const [at, octets] of up.entries()) {
    assert.equal(got.get(`server ${2 * at + 1}`) ?? 0, octets);
    assert.equal(got.get(`client ${2 * at + 1}`) ?? 0, down[at]);
  }
  assert.equal(client.connection.openStreams + server.connection.openStreams, 0);
  assert.ok(
    ![...client.told, ...server.told].some((line) => /^(?:violation|failed|reset)/.test(line)),
  );
}
