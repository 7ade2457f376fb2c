import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { QuestionError } from "../../policy/question.ts";
import { readTokenFile } from "./token-file.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-token-"));
});
after(() => rm(folder, { recursive: true }));

async function read(written: string): Promise<string> {
  const path = join(folder, "token");
  await writeFile(path, written);
  return readTokenFile(path);
}

const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

const good: readonly [what: string, written: string][] = [
  ["alone", TOKEN],
  ["with a line's end", `${TOKEN}\n`],
  ["with blanks around it", `  ${TOKEN}\r\n\n`],
  ["as in a header's value", `Bearer ${TOKEN}`],
  ["as a header", `Authorization: Bearer ${TOKEN}\n`],
];
for (const [what, written] of good)
  test(`a token ${what}`, async () => assert.equal(await read(written), TOKEN));

const bad: readonly [what: string, written: string, says: RegExp][] = [
  ["nothing", " \n", /there is nothing in it/],
  [
    "a line break in it",
    "abc.\ndef.ghi",
    /what stands at character 5, such as a line break, can be in no header/,
  ],
  ["too much", "x".repeat(70_000), /longer than 65536 characters/],
];
for (const [what, written, says] of bad)
  test(`a file with ${what}`, async () => {
    await assert.rejects(read(written), (error) => {
      assert.ok(error instanceof QuestionError);
      assert.match(error.message, says);
      return true;
    });
  });

const unreadable: readonly [name: string, says: RegExp][] = [
  ["/nowhere/token", /^--token \/nowhere\/token: there is no such file; --token takes a file/],
  ["nope", new RegExp(`^--token nope: there is no file ${resolve("nope")}; --token takes a file`)],
  [tmpdir(), /: that is a folder; .* a file that holds the token, or - for the standard input$/],
];
for (const [name, says] of unreadable)
  test(`${name} is no file: it is said which one was meant, and what the option takes`, async () => {
    await assert.rejects(readTokenFile(name), (error) => {
      assert.ok(error instanceof QuestionError);
      assert.match(error.message, says);
      return true;
    });
  });

for (const given of [TOKEN, `Bearer ${TOKEN}`, TOKEN.slice(0, -10)])
  test("the token itself is no argument: it is said why, and not repeated", async () => {
    await assert.rejects(readTokenFile(given), (error) => {
      assert.ok(error instanceof QuestionError);
      assert.match(error.message, /expected a file, or - .*others on this machine can read/);
      return !error.message.includes("eyJ");
    });
  });
