/** What a connection tells and says when all goes well, section by section of RFC 9113. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  block,
  data,
  type Field,
  frame,
  framesOf,
  GET,
  goaway,
  headers,
  OK,
  opening,
  POST,
  ping,
  RecordedHttp2,
  recordedClient,
  recordedServer,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME, LARGEST, PREFACE } from "./frame.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { SETTING } from "./peer-settings.ts";

const outgoing = new FieldBlock();

const priority = (on: number): Buffer => Buffer.concat([uint32(on), Buffer.from([1])]);
const open = headers(1, POST, "more");

test("section 3.4: a server wants the preface, and then SETTINGS; either may come in pieces", () => {
  const other = new RecordedHttp2("server").receive(Buffer.from("GET / HTTP/1.1\r\n"));
  assert.match(other.told[0] ?? "", /^failed PROTOCOL_ERROR: not the connection preface/);
  const early = new RecordedHttp2("server").receive(PREFACE, headers(1, GET));
  assert.match(early.told[0] ?? "", /^failed PROTOCOL_ERROR: a first frame/);
  const acknowledged = new RecordedHttp2("client").receive(frame(FRAME.SETTINGS, FLAG.ACK, 0));
  assert.match(acknowledged.told[0] ?? "", /^failed PROTOCOL_ERROR: a first frame/);
});

test("section 3.4: each says its settings first, and acknowledges the other's", () => {
  const recorded = new RecordedHttp2("client");
  assert.ok(recorded.connection.awaitsAcknowledgement);
  assert.deepEqual(recorded.take(), ["SETTINGS 0", "WINDOW_UPDATE 0"]);
  recorded.receive(opening("server"));
  assert.deepEqual(recorded.take(), ["SETTINGS 0 ACK"]);
  assert.deepEqual(recorded.told, ["settings", "acknowledged"]);
  assert.ok(!recorded.connection.awaitsAcknowledgement);
});

test("section 8.1: a request with a body and trailers, padded, in many frames", () => {
  const recorded = recordedServer().receive(
    frame(
      FRAME.HEADERS,
      FLAG.PADDED | FLAG.PRIORITY,
      1,
      Buffer.concat([Buffer.from([3]), priority(0), block(...POST.slice(0, 2)), Buffer.alloc(3)]),
    ),
    frame(FRAME.CONTINUATION, 0, 1),
    frame(
      FRAME.CONTINUATION,
      FLAG.END_HEADERS,
      1,
      block(...POST.slice(2), ["content-length", "5"]),
    ),
    data(1, "ab"),
    frame(
      FRAME.DATA,
      FLAG.PADDED,
      1,
      Buffer.concat([Buffer.from([2]), Buffer.from("cde"), Buffer.alloc(2)]),
    ),
    headers(1, [["x-sum", "1"]]),
  );
  assert.deepEqual(recorded.told, [
    "head 1 more POST shop.example/cart {content-length: 5}",
    "data 1 abcde more",
    "trailers 1 {x-sum: 1}",
  ]);
  recorded.take();
  assert.equal(recorded.connection.held, 0, "nothing is kept of a head that was told");
});

test("section 6.1: the end is told with the last octet, or after padding, or without any", () => {
  const recorded = recordedServer().receive(open, data(1, "ab", "last"));
  recorded.receive(
    headers(3, POST, "more"),
    frame(FRAME.DATA, FLAG.PADDED | FLAG.END_STREAM, 3, Buffer.from([1, 0x61, 0])),
  );
  recorded.receive(headers(5, POST, "more"), data(5, "", "last"));
  recorded.receive(
    headers(7, POST, "more"),
    frame(FRAME.DATA, FLAG.PADDED | FLAG.END_STREAM, 7, Buffer.from([0])),
  );
  const bodies = recorded.told.filter((line) => line.startsWith("data"));
  assert.deepEqual(bodies, ["data 1 ab last", "data 3 a last", "data 5  last", "data 7  last"]);
});

test("section 8.1: a client gets heads of status 1xx, then the response", () => {
  const recorded = recordedClient().receive(
    headers(
      1,
      [
        [":status", "103"],
        ["link", "</a>"],
      ],
      "more",
    ),
    headers(1, [...OK, ["content-length", "2"]], "more"),
    data(1, "ok", "last"),
  );
  assert.deepEqual(recorded.told, [
    "head 1 more 103 {link: </a>}",
    "head 1 more 200 {content-length: 2}",
    "data 1 ok last",
  ]);
  assert.equal(recorded.connection.openStreams, 0);
});

const noContent: [method: string, status: string][] = [
  ["HEAD", "200"],
  ["GET", "304"],
  ["GET", "204"],
];
for (const [method, status] of noContent) {
  test(`RFC 9110 section 6.4.1: a ${status} to ${method} has no content, whatever its length says`, () => {
    const recorded = recordedClient(method).receive(
      headers(1, [
        [":status", status],
        ["content-length", "9"],
      ]),
    );
    assert.deepEqual(recorded.told, [`head 1 last ${status} {content-length: 9}`]);
  });
}

test("section 8.5: CONNECT opens a tunnel", () => {
  const recorded = recordedClient("CONNECT", "more").receive(
    headers(1, OK, "more"),
    data(1, "bytes"),
  );
  assert.deepEqual(recorded.told, ["head 1 more 200 {}", "data 1 bytes more"]);
});

test("section 8.5: the bytes of a tunnel have no length, whatever either side says", () => {
  const asking = recordedClient("CONNECT", "more").receive(
    headers(1, [...OK, ["content-length", "1"]], "more"),
    data(1, "many bytes"),
  );
  assert.equal(asking.told.at(-1), "data 1 many bytes more");
  const tunnel: readonly Field[] = [
    [":method", "CONNECT"],
    [":authority", "a.example:443"],
    ["content-length", "0"],
  ];
  const answering = recordedServer().receive(headers(1, tunnel, "more"), data(1, "many bytes"));
  assert.equal(answering.told.at(-1), "data 1 many bytes more");
});

test("RFC 9110 section 9.3.8: TRACE has no content, also where it does not say so", () => {
  const trace: readonly Field[] = [[":method", "TRACE"], ...GET.slice(1)];
  const recorded = recordedServer().receive(headers(1, trace, "more"), data(1, "x"));
  assert.deepEqual(recorded.take(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
});

test("section 6.5.2: a hundred streams until the server has spoken, then as many as it says, or any number", () => {
  const recorded = new RecordedHttp2("client");
  const openOne = (): void => {
    outgoing.request("GET", "http");
    outgoing.authority("a");
    outgoing.path("/");
    recorded.connection.open(outgoing, "last", 0);
  };
  for (let at = 0; at < 100; at++) openOne();
  assert.ok(!recorded.connection.mayOpen);
  recorded.receive(opening("server"));
  openOne();
  recorded.receive(settings([SETTING.MAX_CONCURRENT_STREAMS, 101]));
  assert.ok(!recorded.connection.mayOpen);
});

test("section 5.1: frames that were under way when we reset a stream are no fault", () => {
  const recorded = recordedServer().receive(open);
  recorded.connection.reset(recorded.stream(1), ERROR_CODE.CANCEL);
  recorded.receive(data(1, "late"), headers(1, [["x", "1"]]), windowUpdate(1, 1), reset(1, 0));
  assert.deepEqual(recorded.take(), ["RST_STREAM 1 CANCEL"]);
  assert.equal(recorded.told.length, 1);
});

test("section 5.1.2: a client opens no more streams than the server allows", () => {
  const recorded = recordedClient().receive(settings([SETTING.MAX_CONCURRENT_STREAMS, 1]));
  assert.ok(!recorded.connection.mayOpen);
  assert.throws(() => recorded.connection.open(outgoing, "last", 0));
  recorded.receive(headers(1, OK));
  assert.ok(recorded.connection.mayOpen);
});

test("section 6.8: GOAWAY resets what is not served, lets the rest end, and nothing is opened any more", () => {
  const recorded = recordedClient();
  outgoing.request("GET", "http");
  outgoing.authority("a");
  outgoing.path("/");
  recorded.connection.open(outgoing, "last", 0);
  recorded.receive(goaway(1, 0));
  assert.deepEqual(recorded.told, ["reset 3 REFUSED_STREAM", "goaway 1 NO_ERROR"]);
  assert.ok(!recorded.connection.mayOpen);
  recorded.receive(headers(1, OK));
  assert.deepEqual(recorded.told.slice(2), ["head 1 last 200 {}", "drained"]);
});

test("section 6.8: a server drains in two steps", () => {
  const recorded = recordedServer().receive(open);
  recorded.connection.drain();
  assert.deepEqual(recorded.take(), [`GOAWAY ${LARGEST} NO_ERROR`, "PING 0"]);
  recorded.receive(headers(3, GET), frame(FRAME.PING, FLAG.ACK, 0, Buffer.from("draining")));
  assert.deepEqual(recorded.take(), ["GOAWAY 3 NO_ERROR"]);
  recorded.receive(headers(5, GET));
  assert.deepEqual(recorded.take(), ["RST_STREAM 5 REFUSED_STREAM"]);
  for (const id of [1, 3]) {
    outgoing.response(200);
    recorded.connection.sendHead(recorded.stream(id), outgoing, "last");
  }
  assert.ok(!recorded.told.includes("drained"));
  recorded.receive(data(1, "", "last"));
  assert.equal(recorded.told.at(-1), "drained");
});

test("section 6.8: the end is told once, however often the peer says GOAWAY", () => {
  const recorded = recordedServer().receive(goaway(0, 0), goaway(0, 0));
  assert.deepEqual(recorded.told, ["goaway 0 NO_ERROR", "drained", "goaway 0 NO_ERROR"]);
});

test("section 6.7: PING is answered, and asks", () => {
  const recorded = recordedServer().receive(ping());
  recorded.connection.ping();
  assert.deepEqual(recorded.take(), ["PING 0 ACK", "PING 0"]);
  recorded.receive(frame(FRAME.PING, FLAG.ACK, 0, Buffer.alloc(8)));
  assert.deepEqual(recorded.told, ["pong"]);
});

test("section 4.1: frames of unknown types and settings are ignored", () => {
  const recorded = recordedServer().receive(
    frame(0x77, 0xff, 1, Buffer.from("??")),
    settings([0x77, 1]),
    frame(0x78, 0, 0),
  );
  assert.deepEqual(recorded.take(), ["SETTINGS 0 ACK"]);
});

test("section 6.3: PRIORITY is ignored, on any stream", () => {
  assert.deepEqual(recordedServer().receive(frame(FRAME.PRIORITY, 0, 9, priority(7))).told, []);
});

test("RFC 7541 section 4.2: the first block says that no table is used, whatever the peer would allow", () => {
  const recorded = recordedServer().receive(headers(1, GET), headers(3, GET));
  for (const id of [1, 3]) {
    outgoing.response(200);
    recorded.connection.sendHead(recorded.stream(id), outgoing, "last");
  }
  const blocks = framesOf(recorded.takeBytes()).map(({ payload }) => payload.toString("hex"));
  assert.deepEqual(blocks, ["2088", "88"]);
});

test("a head larger than a frame goes on in CONTINUATION", () => {
  const recorded = recordedServer().receive(headers(1, GET));
  outgoing.response(200);
  for (let at = 0; at < 5; at++) outgoing.add(`x-${at}`, "v".repeat(8_000));
  recorded.connection.sendHead(recorded.stream(1), outgoing, "last");
  assert.deepEqual(recorded.take(), ["HEADERS 1 END", "CONTINUATION 1", "CONTINUATION 1"]);
});

test("when the socket is gone all streams are reset, and verbs do nothing", () => {
  const recorded = recordedServer().receive(open);
  recorded.connection.abandon();
  assert.deepEqual(recorded.told.slice(1), ["reset 1 CANCEL"]);
  outgoing.response(200);
  recorded.connection.sendHead(recorded.stream(1), outgoing, "last");
  recorded.connection.ping();
  recorded.connection.drain();
  assert.deepEqual(recorded.take(), []);
});
