import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeText } from "./decode-text.ts";

const octets = (text: string): Buffer => Buffer.from(text, "latin1");

for (const text of ["", "a: b\n", "\ufeffa: b", "a: \tGrüße 😀\u0085\r\n", "a: \ufffd"]) {
  test(`is taken as it is: ${JSON.stringify(text)}`, () => {
    assert.equal(decodeText("a.yaml", Buffer.from(text)), text);
  });
}

for (const [what, bytes, line, problem] of [
  ["Latin-1", octets("a:\n- /adm\xff\n- b\n"), 2, /^is no UTF-8; expected text in UTF-8$/],
  ["Latin-1 in the last line", octets("a:\r\n\r\n- /adm\xe4"), 3, /UTF-8/],
  ["a character cut off", Buffer.from("a: ü\nb: ü").subarray(0, -1), 2, /UTF-8/],
  ["a surrogate", octets("\xed\xa0\x80"), 1, /UTF-8/],
  ["UTF-16", Buffer.from("\ufeffa: b\n", "utf16le"), 1, /UTF-8/],
  ["UTF-16 without a mark", Buffer.from("a: b\n", "utf16le"), 1, /control character U\+0000/],
  ["NUL", octets("a: b\n\nc: d\0e\n"), 3, /^has the control character U\+0000; expected text$/],
  ["escape", octets("# \x1b[2J"), 1, /U\+001B/],
  ["delete", octets("a: \x7f"), 1, /U\+007F/],
  ["C1", Buffer.from("a: \u009b"), 1, /U\+009B/],
  ["no character", Buffer.from("a: \uffff"), 1, /U\+FFFF/],
] as const) {
  test(`is no text: ${what}`, () => {
    const issue = decodeText("a.yaml", bytes);
    assert.ok(typeof issue === "object");
    assert.deepEqual(issue.source, { file: "a.yaml", line });
    assert.match(issue.problem, problem);
  });
}

test("what lies before and after the bytes in memory does not count", () => {
  const all = octets("\xff a: b \xff");
  assert.equal(decodeText("a.yaml", all.subarray(1, -1)), " a: b ");
});
