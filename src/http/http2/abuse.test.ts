/** What a peer may not do to a connection, however well-formed each frame is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  block,
  data,
  type Field,
  frame,
  GET,
  headers,
  integer,
  OK,
  opening,
  POST,
  ping,
  RecordedHttp2,
  recordedServer,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import {
  CONTROL_BUDGET,
  MAX_BLOCK,
  MAX_CONTINUATIONS,
  MAX_FIELDS,
  MAX_INFORMATIONAL,
  MAX_OUTPUT,
  MAX_STREAMS,
  RESET_BUDGET,
} from "./limits.ts";
import { SETTING } from "./peer-settings.ts";

/** @returns how often it could be done before the connection was ended with ENHANCE_YOUR_CALM */
function timesUntilEnded(
  recorded: RecordedHttp2,
  once: (time: number) => Buffer,
  limit: number,
): number {
  for (let time = 0; time < limit; time++) {
    recorded.receive(once(time));
    if (recorded.connection.isOver) {
      assert.match(recorded.take().at(-1) ?? "", /^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
      return time;
    }
  }
  return limit;
}

const resets: [what: string, once: (time: number) => Buffer][] = [
  [
    "requests that are reset at once (CVE-2023-44487)",
    (time) => Buffer.concat([headers(2 * time + 1, POST, "more"), reset(2 * time + 1, 8)]),
  ],
  [
    "requests that make us reset them (CVE-2025-8671)",
    (time) => Buffer.concat([headers(2 * time + 1, POST, "more"), windowUpdate(2 * time + 1, 0)]),
  ],
  ["malformed requests", (time) => headers(2 * time + 1, [["x", "1"]])],
];
for (const [what, once] of resets) {
  test(`${what}: ${RESET_BUDGET.burst} at once, and then the connection ends`, () => {
    const times = timesUntilEnded(recordedServer(), once, 2 * RESET_BUDGET.burst);
    assert.equal(times, RESET_BUDGET.burst);
  });
}

test(`streams may be reset ${RESET_BUDGET.perSecond} times a second for ever`, () => {
  const recorded = recordedServer();
  const times = timesUntilEnded(
    recorded,
    (time) => {
      recorded.now += 1_000 / RESET_BUDGET.perSecond;
      return resets[0]?.[1](time) ?? ping();
    },
    5_000,
  );
  assert.equal(times, 5_000);
  assert.equal(recorded.connection.openStreams, 0);
});

test("and not twice as often: what was saved is used up", () => {
  const recorded = recordedServer();
  const times = timesUntilEnded(
    recorded,
    (time) => {
      recorded.now += 500 / RESET_BUDGET.perSecond;
      return resets[0]?.[1](time) ?? ping();
    },
    5_000,
  );
  assert.ok(times <= 2 * RESET_BUDGET.burst + 1, String(times));
});

test("one reset for each request that is answered is allowed, however fast", () => {
  const recorded = recordedServer();
  const answer = new FieldBlock();
  answer.response(204);
  for (let id = 1; id < 8_000; id += 4) {
    recorded.receive(headers(id, GET));
    recorded.connection.sendHead(recorded.stream(id), answer, "last");
    recorded.receive(headers(id + 2, GET), reset(id + 2, ERROR_CODE.CANCEL));
    recorded.takeBytes();
  }
  assert.ok(!recorded.connection.isOver);
});

test("a reset after the answer is none before its time", () => {
  const recorded = recordedServer();
  const answer = new FieldBlock();
  answer.response(413);
  for (let id = 1; id < 2_001; id += 2) {
    recorded.receive(headers(id, POST, "more"));
    recorded.connection.sendHead(recorded.stream(id), answer, "last");
    recorded.receive(reset(id, ERROR_CODE.CANCEL));
  }
  assert.ok(!recorded.connection.isOver);
});

test("requests after GOAWAY are refused, as many as can have been under way", () => {
  const recorded = recordedServer();
  recorded.connection.drain();
  recorded.connection.finishDrain();
  const times = timesUntilEnded(recorded, (time) => headers(2 * time + 1, GET), 2 * MAX_STREAMS);
  assert.equal(times, MAX_STREAMS);
});

test("of streams that we reset no more are remembered than may be open", () => {
  const recorded = recordedServer();
  for (let at = 0; at <= MAX_STREAMS; at++) {
    recorded.receive(headers(2 * at + 1, POST, "more"));
    recorded.connection.reset(recorded.stream(2 * at + 1), ERROR_CODE.CANCEL);
  }
  recorded.take();
  recorded.receive(data(3, "late"));
  assert.ok(!recorded.connection.isOver);
  recorded.receive(data(1, "too late"));
  assert.match(recorded.take().at(-1) ?? "", /STREAM_CLOSED$/);
});

const empty: [what: string, frame: Buffer][] = [
  ["PING (CVE-2019-9512)", ping()],
  ["answers to a PING that we did not send", frame(FRAME.PING, FLAG.ACK, 0, Buffer.alloc(8))],
  ["SETTINGS (CVE-2019-9515)", settings()],
  [
    "SETTINGS that change all windows",
    settings([SETTING.INITIAL_WINDOW_SIZE, 0], [SETTING.INITIAL_WINDOW_SIZE, 1]),
  ],
  ["acknowledgements", frame(FRAME.SETTINGS, FLAG.ACK, 0)],
  ["empty DATA (CVE-2019-9518)", data(1, "")],
  ["DATA of padding alone", frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.from([1, 0]))],
  [
    "PRIORITY (CVE-2019-9513)",
    frame(FRAME.PRIORITY, 0, 1, Buffer.concat([uint32(0), Buffer.from([1])])),
  ],
  ["WINDOW_UPDATE", windowUpdate(0, 1)],
  ["WINDOW_UPDATE of a stream", windowUpdate(1, 1)],
  ["RST_STREAM of a stream that is gone", reset(3, 0)],
  ["frames of unknown types", frame(0x55, 0, 0)],
];
for (const [what, bytes] of empty) {
  test(`${what}: no more than ${CONTROL_BUDGET.burst} at once`, () => {
    const recorded = recordedServer().receive(
      headers(1, POST, "more"),
      headers(3, POST, "more"),
      reset(3, 8),
    );
    const times = timesUntilEnded(recorded, () => bytes, 2 * CONTROL_BUDGET.burst);
    assert.ok(times <= CONTROL_BUDGET.burst && times > CONTROL_BUDGET.burst / 2, String(times));
  });
}

test("a head of endless CONTINUATION (CVE-2024-27316)", () => {
  const begin = frame(FRAME.HEADERS, 0, 1, block(...GET));
  const more = frame(FRAME.CONTINUATION, 0, 1);
  assert.equal(
    timesUntilEnded(recordedServer().receive(begin), () => more, 1_000),
    MAX_CONTINUATIONS,
  );
});

test("a head of more octets than we keep", () => {
  const recorded = recordedServer().receive(frame(FRAME.HEADERS, 0, 1, Buffer.alloc(16_000)));
  const times = timesUntilEnded(
    recorded,
    () => frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(16_000)),
    1_000,
  );
  assert.equal(times, Math.floor(MAX_BLOCK / 16_000) - 1);
  assert.ok(recorded.connection.held <= 2 * MAX_BLOCK);
});

test("SETTINGS of too many parameters", () => {
  const many = Array.from({ length: 33 }, () => [SETTING.MAX_FRAME_SIZE, 16_384] as const);
  assert.match(
    recordedServer()
      .receive(settings(...many))
      .take()
      .at(-1) ?? "",
    /^GOAWAY 0 ENHANCE_YOUR_CALM$/,
  );
});

test("heads of status 1xx without end", () => {
  const recorded = new RecordedHttp2("client").receive(opening("server"));
  const request = new FieldBlock();
  request.request("GET", "http");
  request.authority("a");
  request.path("/");
  recorded.connection.open(request, "last", 0);
  for (let time = 0; time <= MAX_INFORMATIONAL; time++)
    recorded.receive(headers(1, [[":status", "103"]], "more"));
  assert.equal(recorded.told.at(-1), "reset 1 ENHANCE_YOUR_CALM");
  recorded.receive(headers(1, OK));
});

test(`more than ${MAX_STREAMS} streams at once are refused, and may come again later`, () => {
  const recorded = recordedServer();
  for (let at = 0; at < MAX_STREAMS; at++) recorded.receive(headers(2 * at + 1, GET));
  assert.deepEqual(recorded.take(), []);
  recorded.receive(headers(2 * MAX_STREAMS + 1, GET));
  assert.deepEqual(recorded.take(), [`RST_STREAM ${2 * MAX_STREAMS + 1} REFUSED_STREAM`]);
  assert.equal(recorded.connection.openStreams, MAX_STREAMS);
});

test("requests with too many fields are answered without end: others are under way on a connection of a sidecar", () => {
  const fields = [...GET, ...Array.from({ length: MAX_FIELDS + 1 }, (): Field => ["x", "1"])];
  const once = (time: number): Buffer => headers(2 * time + 1, fields);
  const limit = 2 * RESET_BUDGET.burst;
  assert.equal(timesUntilEnded(recordedServer(), once, limit), limit);
});

test("too many fields are answered by 431, and the next request is served (QK-15)", () => {
  const many = Array.from({ length: MAX_FIELDS + 1 }, (_, at): Field => [`x-${at}`, "1"]);
  const recorded = recordedServer().receive(headers(1, [...GET, ...many]), headers(3, GET));
  assert.deepEqual(recorded.take(), ["HEADERS 1 END"]);
  assert.equal(recorded.told.at(-1), "head 3 last GET shop.example/cart {}");
  recorded.receive(headers(5, [...POST, ...many], "more"));
  assert.deepEqual(recorded.take(), ["HEADERS 5 END", "RST_STREAM 5 NO_ERROR"]);
});

test("an HPACK bomb is answered by 431, and took no memory (CVE-2016-1544)", () => {
  const value = Buffer.alloc(4_000, "v");
  const entry = Buffer.concat([
    Buffer.from("400162", "hex"),
    integer(0x7f, 0, value.length),
    value,
  ]);
  const bomb = Buffer.concat([block(...GET), entry, Buffer.alloc(12_000, 0xbe)]);
  const recorded = recordedServer();
  for (let id = 1; id < 101; id += 2) recorded.receive(frame(FRAME.HEADERS, 5, id, bomb));
  assert.equal(recorded.take().at(-1), "HEADERS 99 END");
  assert.ok(recorded.connection.held < 20_000);
});

test("a peer that asks and never reads: what waits for it is bounded (CVE-2019-9517)", () => {
  const recorded = recordedServer();
  const times = timesUntilEnded(
    recorded,
    () => {
      recorded.now += 100;
      return ping();
    },
    1_000_000,
  );
  assert.ok(times < MAX_OUTPUT / 17 + 10, String(times));
  assert.ok(recorded.connection.held <= MAX_OUTPUT + 65_536);
});

test("a peer that opens no window: nothing is kept for it (CVE-2019-9517)", () => {
  const recorded = recordedServer().receive(
    settings([SETTING.INITIAL_WINDOW_SIZE, 0]),
    headers(1, GET),
  );
  const answer = new FieldBlock();
  answer.response(200);
  recorded.connection.sendHead(recorded.stream(1), answer, "more");
  const piece = { bytes: Buffer.alloc(60_000), from: 0, to: 60_000, following: "last" } as const;
  assert.equal(recorded.connection.sendData(recorded.stream(1), piece), 0);
  recorded.take();
  assert.equal(recorded.connection.held, 0);
});
