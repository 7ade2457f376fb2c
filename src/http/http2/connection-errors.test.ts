/** What ends a connection or a stream, section by section of RFC 9113. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  block,
  data,
  type Field,
  frame,
  GET,
  goaway,
  headers,
  OK,
  POST,
  ping,
  recordedClient,
  recordedServer,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import type { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME, LARGEST } from "./frame.ts";
import { SETTING } from "./peer-settings.ts";

const padded = (type: number, flags: number, payload: Buffer): Buffer =>
  frame(type, flags | FLAG.PADDED, 1, payload);
const priority = (on: number): Buffer => Buffer.concat([uint32(on), Buffer.from([1])]);
const withLength = (length: string): readonly Field[] => [...POST, ["content-length", length]];
const open = headers(1, POST, "more");

const connectionErrors: [
  section: string,
  what: string,
  code: keyof typeof ERROR_CODE,
  bytes: Buffer,
][] = [
  [
    "4.2",
    "a frame larger than we take",
    "FRAME_SIZE_ERROR",
    frame(FRAME.DATA, 0, 1, Buffer.alloc(16_385)),
  ],
  [
    "4.3",
    "a block that is none",
    "COMPRESSION_ERROR",
    frame(FRAME.HEADERS, 5, 1, Buffer.from([0x80])),
  ],
  ["5.1", "DATA on an idle stream", "PROTOCOL_ERROR", data(1, "x")],
  ["5.1", "RST_STREAM on an idle stream", "PROTOCOL_ERROR", reset(1, 0)],
  ["5.1", "WINDOW_UPDATE on an idle stream", "PROTOCOL_ERROR", windowUpdate(1, 1)],
  [
    "5.1",
    "DATA after RST_STREAM",
    "STREAM_CLOSED",
    Buffer.concat([open, reset(1, 8), data(1, "x")]),
  ],
  [
    "5.1",
    "HEADERS on a stream that was reset",
    "STREAM_CLOSED",
    Buffer.concat([open, reset(1, 8), headers(1, GET)]),
  ],
  ["5.1.1", "a stream of an even number", "PROTOCOL_ERROR", headers(2, GET)],
  [
    "5.1.1",
    "a stream that was passed over",
    "PROTOCOL_ERROR",
    Buffer.concat([headers(5, GET), headers(3, GET)]),
  ],
  [
    "5.3.1 of RFC 7540",
    "a stream that depends on itself",
    "PROTOCOL_ERROR",
    frame(FRAME.PRIORITY, 0, 3, priority(3)),
  ],
  ["6.1", "DATA on stream 0", "PROTOCOL_ERROR", data(0, "x")],
  [
    "6.1",
    "DATA whose padding is too long",
    "PROTOCOL_ERROR",
    Buffer.concat([open, padded(FRAME.DATA, 0, Buffer.from([2, 0]))]),
  ],
  [
    "6.1",
    "padded DATA of no octets",
    "FRAME_SIZE_ERROR",
    Buffer.concat([open, padded(FRAME.DATA, 0, Buffer.alloc(0))]),
  ],
  ["6.2", "HEADERS on stream 0", "PROTOCOL_ERROR", headers(0, GET)],
  [
    "6.2",
    "HEADERS whose padding is too long",
    "PROTOCOL_ERROR",
    padded(FRAME.HEADERS, 4, Buffer.from([9, 0x82])),
  ],
  [
    "6.2",
    "HEADERS that are cut short",
    "FRAME_SIZE_ERROR",
    frame(FRAME.HEADERS, 0x24, 1, Buffer.alloc(4)),
  ],
  [
    "6.2",
    "another frame in the midst of a head",
    "PROTOCOL_ERROR",
    Buffer.concat([frame(FRAME.HEADERS, 0, 1, block(...GET)), ping()]),
  ],
  ["6.3", "PRIORITY on stream 0", "PROTOCOL_ERROR", frame(FRAME.PRIORITY, 0, 0, priority(1))],
  [
    "6.3",
    "PRIORITY of four octets",
    "FRAME_SIZE_ERROR",
    frame(FRAME.PRIORITY, 0, 1, Buffer.alloc(4)),
  ],
  ["6.4", "RST_STREAM on stream 0", "PROTOCOL_ERROR", reset(0, 0)],
  [
    "6.4",
    "RST_STREAM of three octets",
    "FRAME_SIZE_ERROR",
    Buffer.concat([open, frame(FRAME.RST_STREAM, 0, 1, Buffer.alloc(3))]),
  ],
  ["6.5", "SETTINGS on a stream", "PROTOCOL_ERROR", frame(FRAME.SETTINGS, 0, 1)],
  [
    "6.5",
    "SETTINGS of five octets",
    "FRAME_SIZE_ERROR",
    frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(5)),
  ],
  [
    "6.5",
    "an acknowledgement with a payload",
    "FRAME_SIZE_ERROR",
    frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(6)),
  ],
  ["6.5.2", "ENABLE_PUSH of 2", "PROTOCOL_ERROR", settings([SETTING.ENABLE_PUSH, 2])],
  [
    "6.5.2",
    "a window of 2^31",
    "FLOW_CONTROL_ERROR",
    settings([SETTING.INITIAL_WINDOW_SIZE, 2 ** 31]),
  ],
  [
    "6.5.2",
    "frames of less than 2^14",
    "PROTOCOL_ERROR",
    settings([SETTING.MAX_FRAME_SIZE, 16_383]),
  ],
  ["6.5.2", "frames of 2^24", "PROTOCOL_ERROR", settings([SETTING.MAX_FRAME_SIZE, 2 ** 24])],
  ["6.6", "PUSH_PROMISE", "PROTOCOL_ERROR", frame(FRAME.PUSH_PROMISE, 4, 1, Buffer.alloc(4))],
  ["6.7", "PING on a stream", "PROTOCOL_ERROR", frame(FRAME.PING, 0, 1, Buffer.alloc(8))],
  ["6.7", "PING of seven octets", "FRAME_SIZE_ERROR", frame(FRAME.PING, 0, 0, Buffer.alloc(7))],
  ["6.8", "GOAWAY on a stream", "PROTOCOL_ERROR", frame(FRAME.GOAWAY, 0, 1, Buffer.alloc(8))],
  [
    "6.8",
    "GOAWAY that serves more than one before",
    "PROTOCOL_ERROR",
    Buffer.concat([goaway(3, 0), goaway(5, 0)]),
  ],
  ["6.9", "WINDOW_UPDATE of 0", "PROTOCOL_ERROR", windowUpdate(0, 0)],
  [
    "6.9",
    "WINDOW_UPDATE of three octets",
    "FRAME_SIZE_ERROR",
    frame(FRAME.WINDOW_UPDATE, 0, 0, Buffer.alloc(3)),
  ],
  ["6.9.1", "a connection's window of 2^31", "FLOW_CONTROL_ERROR", windowUpdate(0, LARGEST)],
  [
    "6.9.2",
    "streams' windows of 2^31",
    "FLOW_CONTROL_ERROR",
    Buffer.concat([
      open,
      windowUpdate(1, LARGEST - 65_535),
      settings([SETTING.INITIAL_WINDOW_SIZE, 65_536]),
    ]),
  ],
  ["6.10", "CONTINUATION without HEADERS", "PROTOCOL_ERROR", frame(FRAME.CONTINUATION, 4, 1)],
  [
    "6.10",
    "CONTINUATION of another stream",
    "PROTOCOL_ERROR",
    Buffer.concat([frame(FRAME.HEADERS, 0, 1, block(...GET)), frame(FRAME.CONTINUATION, 4, 3)]),
  ],
];
for (const [section, what, code, bytes] of connectionErrors) {
  test(`RFC 9113 section ${section}: ${what} ends the connection`, () => {
    const recorded = recordedServer().receive(bytes);
    assert.match(
      recorded.told.find((line) => line.startsWith("failed")) ?? "",
      new RegExp(`^failed ${code}: `),
    );
    assert.match(recorded.take().at(-1) ?? "", new RegExp(`^GOAWAY \\d ${code}$`));
    assert.ok(recorded.connection.isOver);
    assert.equal(recorded.connection.openStreams, 0);
    const told = recorded.told.length;
    recorded.receive(headers(7, GET), ping());
    assert.equal(recorded.told.length, told, "nothing is heard after that");
    assert.deepEqual(recorded.take(), []);
  });
}

const streamErrors: [
  section: string,
  what: string,
  code: keyof typeof ERROR_CODE,
  bytes: Buffer,
][] = [
  ["5.1", "DATA after the end", "STREAM_CLOSED", Buffer.concat([headers(1, GET), data(1, "x")])],
  [
    "5.1",
    "HEADERS after the end",
    "STREAM_CLOSED",
    Buffer.concat([headers(1, GET), headers(1, GET)]),
  ],
  [
    "6.9",
    "WINDOW_UPDATE of 0 on a stream",
    "PROTOCOL_ERROR",
    Buffer.concat([open, windowUpdate(1, 0)]),
  ],
  [
    "6.9.1",
    "a stream's window of 2^31",
    "FLOW_CONTROL_ERROR",
    Buffer.concat([open, windowUpdate(1, LARGEST)]),
  ],
  [
    "8.1",
    "a second HEADERS that does not end the stream",
    "PROTOCOL_ERROR",
    Buffer.concat([open, headers(1, [["x", "1"]], "more")]),
  ],
  [
    "8.1.1",
    "less DATA than content-length",
    "PROTOCOL_ERROR",
    Buffer.concat([headers(1, withLength("3"), "more"), data(1, "ab", "last")]),
  ],
  [
    "8.1.1",
    "more DATA than content-length",
    "PROTOCOL_ERROR",
    Buffer.concat([headers(1, withLength("3"), "more"), data(1, "ab"), data(1, "cd")]),
  ],
  ["8.1.1", "content-length and no DATA", "PROTOCOL_ERROR", headers(1, withLength("3"))],
  [
    "8.1.1",
    "less DATA than content-length before trailers",
    "PROTOCOL_ERROR",
    Buffer.concat([headers(1, withLength("3"), "more"), headers(1, [["x", "1"]])]),
  ],
  ["8.1.1", "a malformed request", "PROTOCOL_ERROR", headers(1, [...GET, ["connection", "close"]])],
];
for (const [section, what, code, bytes] of streamErrors) {
  test(`RFC 9113 section ${section}: ${what} ends the stream, and only that`, () => {
    const recorded = recordedServer().receive(bytes, headers(3, GET));
    assert.deepEqual(recorded.take(), [`RST_STREAM 1 ${code}`]);
    assert.match(
      recorded.told.find((line) => line.startsWith("violation")) ?? "",
      new RegExp(`^violation 1 ${code}: `),
    );
    assert.equal(recorded.told.at(-1), "head 3 last GET shop.example/cart {}");
    assert.equal(recorded.connection.openStreams, 1);
  });
}

const clientErrors: [what: string, bytes: Buffer, said: string][] = [
  ["PUSH_PROMISE", frame(FRAME.PUSH_PROMISE, 4, 1, Buffer.alloc(4)), "GOAWAY 0 PROTOCOL_ERROR"],
  ["HEADERS of a stream that it opened", headers(2, OK), "GOAWAY 0 PROTOCOL_ERROR"],
  ["HEADERS of a stream that we did not open", headers(3, OK), "GOAWAY 0 PROTOCOL_ERROR"],
  ["ENABLE_PUSH of 1", settings([SETTING.ENABLE_PUSH, 1]), "GOAWAY 0 PROTOCOL_ERROR"],
  ["DATA before a head", data(1, "x"), "RST_STREAM 1 PROTOCOL_ERROR"],
  [
    "a response that ends with status 100",
    headers(1, [[":status", "100"]]),
    "RST_STREAM 1 PROTOCOL_ERROR",
  ],
  ["status 101", headers(1, [[":status", "101"]], "more"), "RST_STREAM 1 PROTOCOL_ERROR"],
  [
    "DATA with status 204",
    Buffer.concat([headers(1, [[":status", "204"]], "more"), data(1, "x")]),
    "RST_STREAM 1 PROTOCOL_ERROR",
  ],
  [
    "less DATA than content-length",
    Buffer.concat([headers(1, [...OK, ["content-length", "2"]], "more"), data(1, "x", "last")]),
    "RST_STREAM 1 PROTOCOL_ERROR",
  ],
];
for (const [what, bytes, said] of clientErrors) {
  test(`a client refuses of a server: ${what}`, () => {
    const recorded = recordedClient().receive(bytes);
    assert.equal(recorded.take().at(-1), said);
    assert.ok(recorded.told.some((line) => line.startsWith("reset 1 ")));
  });
}
