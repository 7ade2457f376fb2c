import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { dataDirectory } from "../../test/kit/authority-rings.ts";
import { choiceNow, FolderChoiceFile, stepsSince } from "./folder-choice.ts";

const wanted = { directory: "/ca", authority: "b" };
const step = (second: number, name: "prepare" | "rollback") => ({
  at: new Date(Date.UTC(2026, 0, 31, 12, 0, second)),
  step: name,
  authority: "b",
  forced: false,
});
const [first, second, third] = [step(1, "prepare"), step(2, "rollback"), step(0, "rollback")];

test("what was done since is what stands after the last step before, whatever the clock said", () => {
  const choice = choiceNow(wanted, [first, second]);
  assert.deepEqual(stepsSince(choice, [first, second]), []);
  assert.deepEqual(stepsSince(choice, [first, second, third]), [third]);
  assert.deepEqual(stepsSince(choice, [third]), [third], "the rest is forgotten, and was before");
  assert.deepEqual(stepsSince(choiceNow(wanted, []), [first]), [first]);
});

test("it is read back as it was written, until it is forgotten; what is spoiled is as if it were not there", async (context) => {
  const directory = await dataDirectory(context);
  const file = new FolderChoiceFile(directory);
  assert.equal(await file.read(), undefined);
  for (const history of [[], [first]]) {
    const choice = choiceNow(wanted, history);
    await file.write(choice);
    assert.deepEqual(await file.read(), choice);
  }
  for (const text of [
    "",
    "{",
    "[]",
    `{"directory":"/ca"}`,
    `{"directory":"/ca","authority":"b","after":1}`,
  ]) {
    await writeFile(join(directory, "authority-folder.json"), text);
    assert.equal(await file.read(), undefined, text);
  }
  await file.forget();
  assert.equal(await file.read(), undefined);
});
