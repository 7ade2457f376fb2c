import assert from "node:assert/strict";
import { test } from "node:test";
import { BODIES } from "../bodies.ts";
import { AnswerReader } from "./answer-reader.ts";

const body = BODIES["/small"];

function answerOf(text: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nserver: x\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

/** What is heard of each answer when the bytes come in pieces of that size. */
function heard(bytes: string, size: number): readonly (string | undefined)[] {
  const all: (string | undefined)[] = [];
  const reader = new AnswerReader("/small", (problem) => all.push(problem));
  for (let at = 0; at < bytes.length; at += size) {
    reader.read(Buffer.from(bytes.slice(at, at + size)));
  }
  return all;
}

test("answers are read whole, however their bytes come", () => {
  const two = answerOf(body) + answerOf(body);
  for (const size of [1, 7, body.length, two.length]) {
    assert.deepEqual(heard(two, size), [undefined, undefined], `pieces of ${size}`);
  }
});

test("another body, a shorter one, none, and another status are problems", () => {
  const other = `${body.slice(0, -1)}?`;
  for (const text of [other, body.slice(1), ""]) {
    assert.match(heard(answerOf(text), 64)[0] ?? "", /that is another/);
  }
  assert.deepEqual(heard(answerOf(body, "503 Service Unavailable"), 64), ["answered 503"]);
});
