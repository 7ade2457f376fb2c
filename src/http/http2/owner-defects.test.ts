/** What an owner cannot do, for the peer would have to refuse it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  headers,
  POST,
  type RecordedHttp2,
  recordedServer,
} from "../../../test/kit/http2-frames.ts";
import { PREFACE } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";

const outgoing = new FieldBlock();

const open = headers(1, POST, "more");

const misuse: [what: string, use: (recorded: RecordedHttp2) => void][] = [
  [
    "a second head",
    ({ connection, streams }) => {
      const stream = streams.get(1);
      if (stream === undefined) return;
      connection.sendHead(stream, outgoing, "more");
      connection.sendHead(stream, outgoing, "more");
    },
  ],
  [
    "a body before the head",
    (recorded) =>
      recorded.connection.sendData(recorded.stream(1), {
        bytes: PREFACE,
        from: 0,
        to: 1,
        following: "more",
      }),
  ],
  [
    "trailers before the head",
    (recorded) => recorded.connection.sendTrailers(recorded.stream(1), outgoing),
  ],
];
for (const [what, use] of misuse) {
  test(`a defect of the owner is told: ${what}`, () => {
    const recorded = recordedServer().receive(open);
    outgoing.response(200);
    assert.throws(() => use(recorded), /not the time/);
  });
}

const unwritable: [name: string, value: string][] = [
  ["X-Id", "1"],
  ["", "1"],
  ["x id", "1"],
  ["connection", "close"],
  ["te", "gzip"],
  [":path", "/"],
  ["x", "a\r\nb"],
  ["x", "\u010a"],
  ["x", " a"],
  ["x", "a "],
];
for (const [name, value] of unwritable) {
  test(`a block takes no field that is malformed: ${JSON.stringify([name, value])}`, () => {
    outgoing.response(200);
    assert.throws(() => outgoing.add(name, value), TypeError);
  });
}
