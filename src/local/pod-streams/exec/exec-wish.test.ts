import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTerminalSize, TerminalSizes } from "./exec-client.ts";
import { parseExecWish } from "./exec-wish.ts";

const wish = (query: string): ReturnType<typeof parseExecWish> =>
  parseExecWish(new URLSearchParams(query));

test("words of the command stay apart, and a terminal has one output", () => {
  assert.deepEqual(wish("command=sh&command=-c&command=a+b%26c&stdin=true&stdout=1&stderr=true"), {
    command: ["sh", "-c", "a b&c"],
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
  });
  const { stdout, stderr } = wish("command=sh&stdout=true&stderr=true&tty=true");
  assert.deepEqual({ stdout, stderr }, { stdout: true, stderr: false });
});

const REFUSED: readonly (readonly [what: string, query: string, problem: RegExp])[] = [
  ["no command", "stdout=true", /must specify a command/],
  ["an empty program", "command=&stdout=true", /must specify a command/],
  ["no stream", "command=sh&stdout=false", /at least one of stdin, stdout, stderr/],
  ["a thousand words", `stdout=true${"&command=x".repeat(1_025)}`, /more than 1024 words/],
];
for (const [what, query, message] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(() => wish(query), { status: 400, message });
  });
}

const SIZES: readonly (readonly [text: string, size: ReturnType<typeof parseTerminalSize>])[] = [
  ['{"Width":80,"Height":24}', { columns: 80, rows: 24 }],
  ['{"Width":80,"Height":24,"More":1}', { columns: 80, rows: 24 }],
  ['{"Width":0,"Height":24}', undefined],
  ['{"Width":80.5,"Height":24}', undefined],
  ['{"Width":"80; rm","Height":24}', undefined],
  ['{"Width":65536,"Height":24}', undefined],
  ['{"Width":80}', undefined],
  ["null", undefined],
  ["[80,24]", undefined],
  ["80x24", undefined],
];
for (const [text, size] of SIZES) {
  test(`${text} is ${size === undefined ? "no size of a terminal" : "a size"}`, () => {
    assert.deepEqual(parseTerminalSize(text), size);
  });
}

test("a size that came before anybody listened is heard of", () => {
  const heard: unknown[] = [];
  const sizes = new TerminalSizes();
  sizes.tell({ columns: 1, rows: 1 });
  sizes.tell({ columns: 2, rows: 2 });
  sizes.tell(undefined);
  sizes.listen((size) => heard.push(size));
  sizes.tell({ columns: 3, rows: 3 });
  assert.deepEqual(heard, [
    { columns: 2, rows: 2 },
    { columns: 3, rows: 3 },
  ]);
});
