/** What a counter reads of Redis's answers, in whatever pieces they come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  NotRedisError,
  RedisRefusedError,
  RedisReplies,
  type RedisReply,
  redisCommand,
} from "./redis-reply.ts";

function repliesOf(pieces: readonly Buffer[]): readonly RedisReply[] {
  const found: RedisReply[] = [];
  const replies = new RedisReplies((reply) => found.push(reply));
  for (const piece of pieces) replies.read(piece);
  return found;
}

const ANSWERS =
  "+OK\r\n-NOSCRIPT none\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n$2\r\né\r\n$-1\r\n";
const READ: readonly RedisReply[] = [
  "OK",
  new RedisRefusedError("NOSCRIPT none"),
  -7,
  "a\r\nb",
  null,
  null,
  [],
  [1, "é", null],
];

test("law: however answers are cut into pieces, they are the same", () => {
  const octets = Buffer.from(ANSWERS);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: octets.length })), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), octets.length];
      const pieces = places.slice(1).map((to, index) => octets.subarray(places[index], to));
      assert.deepEqual(repliesOf(pieces), READ);
    }),
  );
});

test("an answer may be as long as the last one was, and none is held that was taken", () => {
  const text = `$4000\r\n${"x".repeat(4_000)}\r\n`;
  assert.equal(repliesOf([Buffer.from(text.repeat(100))]).length, 100);
});

const strange: [what: string, text: string][] = [
  ["nothing of Redis's", "HTTP/1.1 200 OK\r\n"],
  ["a newer protocol", "%1\r\n"],
  ["a number that is none", ":1e3\r\n"],
  ["a size that is none", "$+3\r\nabc\r\n"],
  ["a text of less than nothing", "$-5\r\n"],
  ["a text of a gigabyte", "$1000000000\r\n"],
  ["a text longer than any that is asked for", "$4097\r\n"],
  ["a list of all there is", "*4294967296\r\n"],
  ["a list longer than any that is asked for", "*17\r\n"],
  ["a list in a list", "*1\r\n*1\r\n:1\r\n"],
  ["a line that does not end", `-${"x".repeat(5_000)}`],
  ["a long line that does", `-${"x".repeat(5_000)}\r\n`],
  ["numbers that do not end", `*16\r\n${":1\r\n".repeat(15)}:${"1".repeat(5_000)}`],
];
for (const [what, text] of strange)
  test(`it is not read on: ${what}`, () =>
    assert.throws(() => repliesOf([Buffer.from(text)]), NotRedisError));

test("a command says how long its parts are, in octets", () =>
  assert.equal(redisCommand(["GET", "é"]), "*2\r\n$3\r\nGET\r\n$2\r\né\r\n"));
