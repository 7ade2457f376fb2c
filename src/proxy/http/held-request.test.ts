/** The beginning of a body that is wanted before anybody serves the request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BodyBeginning } from "../exchange.ts";
import { HeldRequest } from "./held-request.ts";
import { HOLDING_LIMIT } from "./holding-limit.ts";
import { prepaidStream } from "./prepaid-stream.ts";
import type { Abort, Following } from "./received-message.ts";
import type { RequestSink, ServerStream } from "./streams.ts";

function held(following: Following = "more") {
  const seen = { invited: 0, consumed: 0, left: 0, givenUp: 0 };
  const request = new HeldRequest({
    following,
    left: () => seen.left++,
    giveUp: () => seen.givenUp++,
    inviteBody: () => seen.invited++,
    consumed: (octets) => {
      seen.consumed += octets;
    },
  });
  const give = (text: string, how: Following = "more"): void =>
    request.data(Buffer.from(text), 0, text.length, how);
  return { request, seen, give };
}

function textOf({ pieces }: BodyBeginning): string {
  return String(Buffer.concat(pieces));
}

/** What it is by now. */
async function settled<T>(promise: Promise<T>): Promise<T | "waiting"> {
  return Promise.race([promise, new Promise<"waiting">((go) => setImmediate(go, "waiting"))]);
}

test("it waits until enough has come, and tells the client to go on meanwhile", async () => {
  const { request, seen, give } = held();
  give("ab");
  assert.equal(seen.consumed, 0);
  const beginning = request.beginning(5);
  assert.deepEqual([seen.invited, seen.consumed], [1, 2]);
  give("c");
  assert.equal(await settled(beginning), "waiting");
  assert.equal(seen.consumed, 3);
  give("def");
  const found = await beginning;
  assert.ok(found !== "gone");
  assert.deepEqual([textOf(found), found.octets, found.extent], ["abcdef", 6, "partial"]);
  give("g");
  assert.deepEqual([seen.consumed, request.prepaid], [3, 3]);
});

test("a body that ends before is whole, also with trailers, and of a request without any", async () => {
  const ended = held();
  const beginning = ended.request.beginning(100);
  ended.give("ab", "last");
  assert.deepEqual(await beginning, { pieces: [Buffer.from("ab")], octets: 2, extent: "whole" });
  const none = held("last");
  assert.deepEqual(await none.request.beginning(1), { pieces: [], octets: 0, extent: "whole" });
  assert.equal(none.seen.invited, 0);
});

const endings: [what: string, end: (request: HeldRequest) => void][] = [
  ["the client leaves", (request) => request.finished()],
  ["its connection is lost", (request) => request.aborted(closed)],
  ["the body is none", (request) => request.aborted(malformed)],
  ["too much is held", (request) => request.giveUp()],
];
const closed: Abort = { cause: "closed", details: "" };
const malformed: Abort = { cause: "malformed", details: "x", status: 400 };
for (const [what, end] of endings) {
  test(`${what}: whoever waits for the body hears of it`, async () => {
    const { request, give } = held();
    const beginning = request.beginning(5);
    give("ab");
    end(request);
    assert.equal(await beginning, "gone");
    assert.equal(await request.beginning(5), "gone");
  });
}

test("whoever asks about it hears when the client leaves, once it is too late, too", () => {
  const { request } = held();
  let heard = 0;
  request.whenLeft(() => heard++);
  request.whenLeft(undefined);
  request.finished();
  assert.equal(heard, 0);
  request.whenLeft(() => heard++);
  assert.equal(heard, 1);
});

test("whoever serves it has the whole body, and tells of what was consumed only once", async () => {
  const { request, seen, give } = held();
  give("abc");
  await Promise.all([request.beginning(3)]);
  give("de", "last");
  const parts: string[] = [];
  const consumed: number[] = [];
  const inner = {
    protocol: "HTTP/1.1",
    consumed: (octets: number) => consumed.push(octets),
  } as unknown as ServerStream;
  const stream = prepaidStream(inner, request.prepaid);
  const sink: RequestSink = {
    data(bytes, from, to) {
      parts.push(String(bytes.subarray(from, to)));
      stream.consumed(to - from);
    },
    trailers: () => {},
    aborted: () => {},
    writable: () => {},
    finished: () => {},
  };
  request.serve(() => sink);
  assert.equal(parts.join(""), "abcde");
  const told = consumed.reduce((sum, octets) => sum + octets, seen.consumed);
  assert.equal(told, 5);
});

const ends: [what: string, end: (request: HeldRequest) => void][] = [
  ["is done with it", (request) => request.alsoTakes(0)],
  ["has left", (request) => request.finished()],
  ["must give it up", (request) => request.giveUp()],
];
for (const [what, end] of ends) {
  test(`what somebody has of a body counts with the body, until he ${what}`, () => {
    const before = HOLDING_LIMIT.octets;
    const { request, give } = held();
    give("abc");
    const held3 = HOLDING_LIMIT.octets;
    request.alsoTakes(1_000);
    request.alsoTakes(5_000);
    assert.equal(HOLDING_LIMIT.octets, held3 + 5_000);
    end(request);
    request.finished();
    request.alsoTakes(7);
    assert.equal(HOLDING_LIMIT.octets, before);
  });
}

test("nothing read ahead: the client's end itself", () => {
  const inner = {} as ServerStream;
  assert.equal(prepaidStream(inner, 0), inner);
});
