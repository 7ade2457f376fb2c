import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { readJsonLines } from "../runtime/json-lines.ts";
import { type ControlSocket, openControlSocket } from "./control-socket.ts";
import {
  type ControlReply,
  MAX_CONTROL_REQUEST_CHARACTERS,
  MAX_COUNTERS,
  parseControlRequest,
} from "./control-socket-messages.ts";

let folder: string;
let path: string;
let socket: ControlSocket;
let held = createDeferred<void>();
let text = "metric 1\n";
let replies = 0;
const SILENCE_MS = 500;
const log = recordedLog();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  path = join(folder, "control.sock");
  const answer = async (request: { type: string }): Promise<ControlReply> => {
    if (request.type === "ca-step") throw new Error("out of order");
    await held.promise;
    replies++;
    return { type: "metrics", text };
  };
  held.resolve();
  socket = await openControlSocket({ path, answer, log, silenceMs: SILENCE_MS });
});
after(async () => {
  await socket.close();
  await rm(folder, { recursive: true });
});

async function say(...lines: string[]): Promise<{ replies: unknown[]; socket: Socket }> {
  const replies: unknown[] = [];
  const client = connect(path);
  const done = createDeferred<void>();
  client.on("error", () => done.resolve());
  client.on("close", () => done.resolve());
  readJsonLines(client, (reply) => {
    replies.push(reply);
    if (replies.length === lines.length) done.resolve();
  });
  client.write(lines.map((line) => `${line}\n`).join(""));
  await done.promise;
  client.destroy();
  return { replies, socket: client };
}

test("only its owner may connect", async () => {
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("each request gets its reply, in order; what is no request is refused in words", async () => {
  const { replies } = await say(
    '{"type":"metrics"}',
    '{"type":"dance"}',
    '{"type":"ca-step","step":"prepare","force":false}',
  );
  assert.deepEqual(replies, [
    { type: "metrics", text: "metric 1\n" },
    {
      type: "refused",
      problem:
        "type: expected ca-status, ca-step, metrics, remote-clusters, proxy-status, view, token-keys or limits-left",
    },
    { type: "refused", problem: "out of order" },
  ]);
});

test("whoever only asks whether anybody is there is told so", async () => {
  const before = replies;
  const told = await say('{"type":"hello"}');
  assert.deepEqual(told.replies, [{ type: "hello" }]);
  assert.equal(replies, before, "the control plane was asked");
});

test("a question about counters is bounded, and has all its parts", () => {
  const counter = { limit: "shop/checkout/all", key: "a", identity: "" };
  const parse = (...counters: readonly unknown[]) =>
    parseControlRequest({ type: "limits-left", counters });
  assert.deepEqual(parse({ ...counter, more: 1 }), { type: "limits-left", counters: [counter] });
  for (const wrong of [
    parse({ ...counter, key: undefined }),
    parse({ ...counter, identity: 7 }),
    parse({ ...counter, limit: "x".repeat(513) }),
    parse({ ...counter, key: "x".repeat(65) }),
    parse(counter, null),
    parse(...Array(MAX_COUNTERS + 1).fill(counter)),
    parseControlRequest({ type: "limits-left" }),
  ])
    assert.ok("wrong" in wrong && /^counters: expected/.test(wrong.wrong));
  const longest = { limit: "x".repeat(383), key: "x".repeat(24), identity: "x".repeat(24) };
  const request = JSON.stringify({
    type: "limits-left",
    counters: Array(MAX_COUNTERS).fill(longest),
  });
  assert.ok(request.length <= MAX_CONTROL_REQUEST_CHARACTERS, `${request.length}`);
});

test("whoever sends no JSON, a long line, or too many requests at once is cut off", async () => {
  assert.deepEqual((await say("no json")).replies, []);
  assert.deepEqual((await say(`"${"x".repeat(20_000)}`)).replies, []);
  held = createDeferred<void>();
  assert.deepEqual((await say(...Array(5).fill('{"type":"metrics"}'))).replies, []);
  held.resolve();
  assert.deepEqual((await say('{"type":"metrics"}')).replies.length, 1);
});

test("silent connections, however many, lock nobody out, and are closed in time", async () => {
  const silent = Array.from({ length: 40 }, () => connect(path));
  const closed = silent.map((one) => once(one, "close"));
  await Promise.all(silent.map((one) => once(one, "connect")));
  assert.equal((await say('{"type":"metrics"}')).replies.length, 1);
  for (const one of silent) one.resume();
  await Promise.all(closed);
});

test("for one who does not read no replies pile up, and in time it is closed", async () => {
  text = "m".repeat(4_000_000);
  replies = 0;
  const deaf = connect(path);
  const closed = once(deaf, "close");
  deaf.on("error", () => undefined);
  deaf.pause();
  for (let asked = 0; asked < 4; asked++) deaf.write('{"type":"metrics"}\n');
  await eventually("the first reply", () => replies > 0);
  await delay(2 * SILENCE_MS);
  assert.equal(replies, 1);
  deaf.resume();
  await closed;
  text = "metric 1\n";
});

const WRONG = [
  [7, "expected an object"],
  [null, "expected an object"],
  [{ type: "ca-step", step: "burn", force: false }, /^step: expected prepare, activate/],
  [{ type: "ca-step", step: "taint", force: "yes" }, "force: expected true or false"],
  [{ type: "ca-step", step: "prepare", force: false, from: "here" }, /^from: expected an absolute/],
  [{ type: "ca-step", step: "prepare", force: false, from: `/${"x".repeat(5000)}` }, /^from: /],
] as const;
for (const [value, wrong] of WRONG) {
  test(`refused: ${JSON.stringify(value).slice(0, 60)}`, () => {
    const parsed = parseControlRequest(value);
    assert.ok("wrong" in parsed);
    assert.match(parsed.wrong, typeof wrong === "string" ? new RegExp(`^${wrong}$`) : wrong);
  });
}

for (const type of ["ca-status", "metrics", "remote-clusters"])
  test(`a question, as it is meant: ${type}`, () =>
    assert.deepEqual(parseControlRequest({ type, further: 1 }), { type }));

test("a step, as it is meant", () => {
  const step = { type: "ca-step", step: "prepare", force: false, from: "/tmp/ca" } as const;
  assert.deepEqual(parseControlRequest({ ...step, further: 1 }), step);
});
