/** What HTTP/2 connections make us hold, on real sockets, and how they are given up. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  dial,
  type HttpStage,
  type Reaction,
  startHttpStage,
} from "../../../test/kit/http-server-stage.ts";
import {
  block,
  frame,
  GET,
  headers,
  integer,
  opening,
  settings,
  windowUpdate,
} from "../../../test/kit/http2-frames.ts";
import { FLAG, FRAME, LARGEST } from "../../http/http2/frame.ts";
import { HEADS_AT_ONCE, MAX_OPEN_HEADS, OUTPUT_HIGH_WATER } from "../../http/http2/limits.ts";
import { SETTING } from "../../http/http2/peer-settings.ts";
import { HeldByConnection } from "./held-by-connection.ts";
import { HeldFields } from "./held-fields.ts";
import { HOLDING_LIMIT, type Holder, HoldingLimit } from "./holding-limit.ts";
import type { OutgoingAnswer } from "./streams.ts";

const cleanUp: (() => void)[] = [];
after(() => {
  for (const one of cleanUp) one();
});

const VALUE = 4_000;
const REFERENCES = 14;
const ENDED = FLAG.END_HEADERS | FLAG.END_STREAM;
const MIB = 1_048_576;
const ANSWER: OutgoingAnswer = { status: 200, fields: HeldFields.borrow(), contentLength: -1 };

/** Requests whose heads are large, and take few octets on the wire. */
function flood(count: number): Buffer {
  const first = Buffer.concat([
    block(...GET),
    Buffer.from([0x40, 6]),
    Buffer.from("x-tier", "latin1"),
    integer(0x7f, 0, VALUE),
    Buffer.alloc(VALUE, "y"),
  ]);
  const further = Buffer.concat([block(...GET), Buffer.alloc(REFERENCES, 0xbe)]);
  const frames = Array.from({ length: count }, (_, at) =>
    frame(FRAME.HEADERS, ENDED, 3 + 2 * at, further),
  );
  return Buffer.concat([opening("client"), frame(FRAME.HEADERS, ENDED, 1, first), ...frames]);
}

async function staged(react: Reaction): Promise<HttpStage> {
  const stage = await startHttpStage(react, { protocol: "HTTP/2" });
  cleanUp.push(() => stage.close());
  return stage;
}

test("what a connection holds of heads counts with all that is held, until it ends", async () => {
  const before = HOLDING_LIMIT.octets;
  const stage = await staged(() => {});
  const socket = dial(stage.port).resume();
  cleanUp.push(() => socket.destroy());
  socket.write(flood(400));
  const held = (): number => HOLDING_LIMIT.octets - before;
  await eventually("the heads to count", () => held() > MAX_OPEN_HEADS - MIB);
  assert.ok(held() <= MAX_OPEN_HEADS, String(held()));
  socket.destroy();
  await eventually("nothing to be held", () => held() === 0);
});

test("when all hold too much, the connection that has stood still for longest ends", async () => {
  const before = HOLDING_LIMIT.octets;
  const stage = await staged(() => {});
  const socket = dial(stage.port).resume();
  cleanUp.push(() => socket.destroy());
  socket.write(flood(20));
  await eventually("the heads to count", () => HOLDING_LIMIT.octets - before > MIB / 2);
  const other: Holder = { giveUp: () => assert.fail("the other came later") };
  HOLDING_LIMIT.grow(other, 256 * MIB);
  try {
    await eventually("the requests to end", () => stage.requests.every(({ why }) => why));
    await eventually("their heads to count no more", () => HOLDING_LIMIT.octets <= 256 * MIB);
  } finally {
    HOLDING_LIMIT.shrink(other, 256 * MIB, "holds none");
  }
  assert.equal(stage.requests[0]?.why?.details, "http2.enhance_your_calm");
  await eventually("the connection to be forgotten", () => stage.http.size === 0);
});

test("answers that a client never reads count with all that is held, and it ends at once when that is too much", async () => {
  const before = HOLDING_LIMIT.octets;
  const body = Buffer.alloc(MIB);
  const stage = await staged(({ stream }, what) => {
    if (what === "request") stream.head(ANSWER, "more");
    if (what !== "request" && what !== "writable") return;
    while (stream.data(body, 0, body.length, "more") === body.length);
  });
  const socket = dial(stage.port);
  cleanUp.push(() => socket.destroy());
  socket.write(
    Buffer.concat([
      opening("client"),
      settings([SETTING.INITIAL_WINDOW_SIZE, LARGEST]),
      windowUpdate(0, LARGEST - 65_535),
      headers(1, GET),
    ]),
  );
  const held = (): number => HOLDING_LIMIT.octets - before;
  let id = 1;
  await eventually("what waits to count", () => {
    id += 2; // the first may have ended just where the kernel takes no more
    socket.write(headers(id, GET));
    return held() > OUTPUT_HIGH_WATER / 2;
  });
  assert.ok(held() <= OUTPUT_HIGH_WATER + MIB / 4, String(held()));
  const other: Holder = { giveUp: () => assert.fail("the other came later") };
  HOLDING_LIMIT.grow(other, 256 * MIB);
  try {
    await eventually("nothing of it to be held", () => HOLDING_LIMIT.octets <= 256 * MIB + before);
  } finally {
    HOLDING_LIMIT.shrink(other, 256 * MIB, "holds none");
  }
  await eventually("the connection to be forgotten", () => stage.http.size === 0);
});

test("others have their turn between large heads, and all of them are read", async () => {
  let turn = 0;
  let isOver = false;
  const heads = new Map<number, number>();
  const stage = await staged((_, told) => {
    if (told === "request") heads.set(turn, (heads.get(turn) ?? 0) + 1);
  });
  const next = (): void => {
    turn++;
    if (!isOver) setImmediate(next);
  };
  next();
  const socket = dial(stage.port).resume();
  cleanUp.push(() => socket.destroy());
  socket.write(flood(120));
  await eventually("all requests", () => stage.requests.length === 121);
  isOver = true;
  const atOnce = Math.ceil(HEADS_AT_ONCE / (REFERENCES * VALUE));
  // A turn may have both what was left over and what has just come.
  assert.ok(Math.max(...heads.values()) <= 2 * atOnce + 1, `${[...heads.values()]}`);
  assert.deepEqual(
    stage.requests.map(({ fields }) => fields.length),
    [1, ...Array.from({ length: 120 }, () => REFERENCES)],
  );
});

test("what goes out is not the first to go, however much there is of it", () => {
  const limit = new HoldingLimit(2 * MIB);
  const given: string[] = [];
  const held = (name: string): HeldByConnection =>
    new HeldByConnection({ giveUp: () => given.push(name) }, limit);
  const [read, unread, few] = [held("read"), held("unread"), held("few")];
  read.note(MIB);
  unread.note(MIB);
  few.moved();
  read.moved();
  read.note(MIB + 1);
  unread.note(MIB + MIB / 4);
  read.moved();
  limit.endOfTurn();
  assert.equal(given[0], "unread");
  assert.equal(limit.octets, 2.25 * MIB);
  for (const one of [read, unread, few]) one.note(0);
  assert.equal(limit.octets, 0);
});

test("few octets are not counted; more are, in steps, and what ends is no longer the first to go", () => {
  const limit = new HoldingLimit(2 * MIB);
  const given: string[] = [];
  const heads = (name: string): HeldByConnection =>
    new HeldByConnection({ giveUp: () => given.push(name) }, limit);
  const [one, other] = [heads("one"), heads("other")];
  one.note(200_000);
  assert.equal(limit.octets, 0);
  one.note(MIB + 1);
  other.note(MIB);
  assert.equal(limit.octets, 2 * MIB);
  one.note(MIB - 1);
  assert.equal(limit.octets, 2 * MIB);
  one.note(MIB / 2);
  assert.equal(limit.octets, 1.5 * MIB);
  one.note(2 * MIB);
  limit.endOfTurn();
  assert.deepEqual(given, ["other", "one"]);
  one.note(0);
  other.note(0);
  assert.equal(limit.octets, 0);
});
