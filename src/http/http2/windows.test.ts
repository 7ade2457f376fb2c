/** Bodies within their windows, both ways (RFC 9113 sections 5.2 and 6.9). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  data,
  headers,
  OK,
  POST,
  recordedClient,
  recordedServer,
  settings,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import { ERROR_CODE } from "./error-code.ts";
import { LARGEST, PREFACE } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { CONNECTION_WINDOW, MAX_HELD, OUTPUT_HIGH_WATER, STREAM_WINDOW } from "./limits.ts";
import { SETTING } from "./peer-settings.ts";

const open = headers(1, POST, "more");

test("section 6.9: a peer may send what its windows hold, and more once the owner has consumed", () => {
  const recorded = recordedServer();
  recorded.onData = () => {};
  const full = Buffer.concat(
    Array.from({ length: STREAM_WINDOW / 16_384 }, () => data(1, Buffer.alloc(16_384))),
  );
  recorded.receive(open, full);
  assert.deepEqual(recorded.take(), []);
  recorded.connection.consumed(recorded.stream(1), STREAM_WINDOW / 2);
  assert.deepEqual(recorded.take(), ["WINDOW_UPDATE 1"]);
  recorded.receive(data(1, Buffer.alloc(16_384)));
  assert.deepEqual(recorded.take(), []);
  recorded.connection.consumed(recorded.stream(1), STREAM_WINDOW);
  recorded.take();
  const over = Buffer.concat(Array.from({ length: 17 }, () => data(1, Buffer.alloc(16_384))));
  recorded.receive(over);
  assert.ok(recorded.take().includes("RST_STREAM 1 FLOW_CONTROL_ERROR"));
});

test("section 6.9: more DATA than the connection's window ends the connection", () => {
  const recorded = recordedServer();
  recorded.onData = () => {};
  const bodies = Array.from({ length: STREAM_WINDOW / 16_384 }, () => Buffer.alloc(16_384));
  let id = 1;
  for (let held = 0; held < MAX_HELD; held += STREAM_WINDOW, id += 2) {
    recorded.receive(headers(id, POST, "more"), ...bodies.map((body) => data(id, body)));
    assert.ok(!recorded.connection.isOver, "slow owners of some streams do not hold up the others");
  }
  recorded.receive(headers(id, POST, "more"), data(id, "x"));
  assert.equal(recorded.take().at(-1), `GOAWAY ${id} FLOW_CONTROL_ERROR`);
});

test("section 6.9: answers that nobody reads hold up no others, however many they are", () => {
  const recorded = recordedClient();
  recorded.onData = () => {};
  const piece = Buffer.alloc(16_384);
  const answers = 2 * (CONNECTION_WINDOW / STREAM_WINDOW);
  for (let id = 1; id <= 2 * answers; id += 2) {
    if (id > 1) recorded.connection.open(getBlock(), "last", id);
    recorded.receive(headers(id, OK, "more"));
    for (let sent = 0; sent < STREAM_WINDOW; sent += piece.length)
      recorded.receive(data(id, piece));
  }
  assert.ok(!recorded.connection.isOver, recorded.told.at(-1));
  const given = recorded.take();
  assert.ok(given.includes("WINDOW_UPDATE 0"));
  assert.ok(!given.includes("WINDOW_UPDATE 1"), "each keeps to its own window");
  recorded.receive(data(1, "x"));
  assert.ok(recorded.take().includes("RST_STREAM 1 FLOW_CONTROL_ERROR"));
});

function getBlock(): FieldBlock {
  const request = new FieldBlock();
  request.request("GET", "http");
  request.authority("shop.example");
  request.path("/");
  return request;
}

test("section 6.9: what a stream held that was reset is the connection's again", () => {
  const recorded = recordedServer();
  recorded.onData = () => {};
  const full = Buffer.concat(
    Array.from({ length: STREAM_WINDOW / 16_384 }, () => Buffer.alloc(16_384)).map((body) =>
      data(1, body),
    ),
  );
  for (let id = 1; id < 41; id += 2) {
    recorded.receive(
      headers(id, POST, "more"),
      Buffer.concat(Array.from({ length: 16 }, () => data(id, Buffer.alloc(16_384)))),
    );
    recorded.connection.reset(recorded.stream(id), ERROR_CODE.CANCEL);
    recorded.connection.consumed(recorded.stream(id), STREAM_WINDOW);
  }
  assert.ok(full.length > STREAM_WINDOW);
  assert.ok(!recorded.connection.isOver, recorded.told.at(-1));
});

test("section 5.2: a body goes as far as windows let it, then waits", () => {
  const recorded = recordedClient("POST", "more").receive(
    settings([SETTING.INITIAL_WINDOW_SIZE, 10]),
  );
  recorded.take();
  const bytes = Buffer.from("0123456789abcdef");
  const piece = { bytes, from: 0, to: 16, following: "last" } as const;
  const { connection } = recorded;
  assert.equal(connection.sendData(recorded.stream(1), piece), 10);
  assert.deepEqual(recorded.take(), ["DATA 1"]);
  let sent = 10;
  recorded.onWritable = (stream) => {
    sent += connection.sendData(stream, { ...piece, from: sent });
  };
  recorded.receive(windowUpdate(1, 2));
  assert.equal(sent, 12);
  recorded.receive(settings([SETTING.INITIAL_WINDOW_SIZE, 5]));
  assert.equal(recorded.stream(1).sendWindow, -5, "section 6.9.2");
  recorded.receive(windowUpdate(1, 9));
  assert.equal(sent, 16);
  assert.deepEqual(recorded.take(), ["DATA 1", "SETTINGS 0 ACK", "DATA 1 END"]);
});

test("section 6.9.2: a larger initial window lets go on what waits", () => {
  const recorded = recordedClient("POST", "more").receive(
    settings([SETTING.INITIAL_WINDOW_SIZE, 0]),
  );
  const piece = { bytes: PREFACE, from: 0, to: 8, following: "last" } as const;
  assert.equal(recorded.connection.sendData(recorded.stream(1), piece), 0);
  recorded.told.length = 0;
  recorded.receive(settings([SETTING.INITIAL_WINDOW_SIZE, 100]));
  assert.deepEqual(recorded.told, ["settings", "writable 1"]);
});

test("section 6.9.1: all streams together keep to the connection's window", () => {
  const recorded = recordedClient("POST", "more").receive(
    settings([SETTING.INITIAL_WINDOW_SIZE, LARGEST]),
  );
  const piece = { bytes: Buffer.alloc(60_000), from: 0, to: 60_000, following: "more" } as const;
  const { connection } = recorded;
  assert.equal(connection.sendData(recorded.stream(1), piece), 60_000);
  recorded.take();
  assert.equal(connection.sendData(recorded.stream(1), piece), 5_535);
  recorded.take();
  assert.ok(!recorded.told.includes("writable 1"));
  recorded.receive(windowUpdate(0, 1));
  assert.equal(recorded.told.at(-1), "writable 1");
});

test("no more than a batch of DATA is taken at once: the rest when that was written", () => {
  const recorded = recordedClient("POST", "more").receive(
    settings([SETTING.INITIAL_WINDOW_SIZE, LARGEST]),
    windowUpdate(0, 2 * OUTPUT_HIGH_WATER),
  );
  const bytes = Buffer.alloc(2 * OUTPUT_HIGH_WATER);
  const piece = { bytes, from: 0, to: bytes.length, following: "more" } as const;
  const taken = recorded.connection.sendData(recorded.stream(1), piece);
  assert.ok(taken > 0 && taken <= OUTPUT_HIGH_WATER, String(taken));
  assert.ok(recorded.connection.isCongested);
  recorded.take();
  assert.equal(recorded.told.at(-1), "writable 1");
});
