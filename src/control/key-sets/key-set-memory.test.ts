import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import { KeySetMemory } from "./key-set-memory.ts";

const KEPT = { jwks: '{"keys":[]}', fetchedAt: "2026-06-01T12:00:00.000Z" };
describe("the memory of token keys", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-keys-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const file = (): string => join(folder, "token-keys.json");

  test("what was fetched is recalled; what never was, and problems, are not", async () => {
    const memory = new KeySetMemory(folder, recordedLog());
    assert.deepEqual(await memory.recall(), new Map());
    memory.remember(
      new Map([
        ["a", { ...KEPT, problem: "away" }],
        ["b", { problem: "never there" }],
      ]),
    );
    await memory.close();
    const again = new KeySetMemory(folder, recordedLog());
    assert.deepEqual(await again.recall(), new Map([["a", KEPT]]));
    assert.equal((await stat(file())).mode & 0o777, 0o600);
  });

  test("the same is not written twice", async () => {
    const memory = new KeySetMemory(folder, recordedLog());
    memory.remember(new Map([["a", KEPT]]));
    await memory.close();
    await rm(file());
    memory.remember(new Map([["a", { ...KEPT, problem: "away" }]]));
    await memory.close();
    await assert.rejects(readFile(file()), /ENOENT/);
  });

  test("of many in a row the last is written", async () => {
    const memory = new KeySetMemory(folder, recordedLog());
    for (let count = 0; count < 100; count++) memory.remember(new Map([[`i${count}`, KEPT]]));
    await memory.close();
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file(), "utf8"))), ["i99"]);
  });

  test("what comes while a file is written is written after it", async () => {
    const memory = new KeySetMemory(folder, recordedLog());
    memory.remember(new Map([["a", KEPT]]));
    await Promise.resolve();
    await Promise.resolve();
    memory.remember(new Map([["b", KEPT]]));
    await memory.close();
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file(), "utf8"))), ["b"]);
  });

  test("no more is written than can be read again: the largest are left out, and told once", async () => {
    const log = recordedLog();
    const memory = new KeySetMemory(folder, log, 250);
    const large = { ...KEPT, jwks: "x".repeat(200) };
    for (const name of ["c", "d"]) {
      memory.remember(
        new Map([
          ["a", KEPT],
          ["large", large],
          [name, KEPT],
        ]),
      );
      await memory.close();
    }
    assert.ok((await stat(file())).size <= 250);
    assert.deepEqual([...(await memory.recall()).keys()], ["a", "d"]);
    assert.equal(log.find("the largest sets of token keys").length, 1);
  });

  test("a file that is broken is as good as none", async () => {
    for (const text of ["{", "[]", '{"a":5,"b":{"jwks":1},"c":null}']) {
      await writeFile(file(), text);
      assert.deepEqual(await new KeySetMemory(folder, recordedLog()).recall(), new Map());
    }
  });

  test("a folder that is gone is told, and stops nothing", async () => {
    const log = recordedLog();
    const memory = new KeySetMemory(join(folder, "gone"), log);
    memory.remember(new Map([["a", KEPT]]));
    await memory.close();
    assert.equal(log.find("the memory of token keys failed").length, 1);
  });
});
