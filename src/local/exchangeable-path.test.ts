import assert from "node:assert/strict";
import { chmod, chown, lchown, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { exchangeablePart } from "./exchangeable-path.ts";
import { holdsNobodyElse } from "./own-group.ts";

const STRANGER = 1001;
const FOR_ROOT = process.getuid?.() === 0 ? false : "only root gives files to others";

async function createFolder(context: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "hauberk-")));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Of the folder around the one that is asked for. */
const MODES: readonly (readonly [mode: number, problem: string | undefined])[] = [
  [0o755, undefined],
  [0o700, undefined],
  [0o777, "can be written by every user"],
  [0o757, "can be written by every user"],
  [0o1777, undefined],
];

for (const [mode, problem] of MODES) {
  test(`a folder of mode ${mode.toString(8)} on the way: ${problem ?? "good"}`, async (context) => {
    const around = join(await createFolder(context), "around");
    await mkdir(join(around, "one", "two"), { recursive: true });
    await chmod(around, mode);
    const expected = problem && `${around} ${problem}`;
    assert.equal(await exchangeablePart(join(around, "one", "two")), expected);
    assert.equal(await exchangeablePart(join(around, "not", "there")), expected);
  });
}

test("folders around the program itself may be others' or everybody's; beside them none", async (context) => {
  const around = join(await createFolder(context), "around");
  const program = join(around, "package", "dist");
  await mkdir(program, { recursive: true });
  await mkdir(join(around, "other"));
  await chmod(around, 0o777);
  await chmod(join(around, "package"), 0o777);
  await chmod(join(around, "other"), 0o777);
  assert.equal(await exchangeablePart(join(around, "package", ".hauberk"), program), undefined);
  assert.equal(
    await exchangeablePart(join(around, "other", ".hauberk"), program),
    `${join(around, "other")} can be written by every user`,
  );
});

test("where a link leads counts, and where it lies", async (context) => {
  const folder = await createFolder(context);
  await mkdir(join(folder, "open", "inside"), { recursive: true });
  await mkdir(join(folder, "closed", "inside"), { recursive: true });
  await symlink("../open/inside/../inside", join(folder, "closed", "out"));
  await symlink(join(folder, "closed"), join(folder, "open", "in"));
  assert.equal(await exchangeablePart(join(folder, "closed", "out")), undefined);
  await chmod(join(folder, "open"), 0o777);
  const problem = `${join(folder, "open")} can be written by every user`;
  assert.equal(await exchangeablePart(join(folder, "closed", "out")), problem);
  assert.equal(await exchangeablePart(join(folder, "open", "in", "inside")), problem);
  assert.equal(await exchangeablePart(join(folder, "closed", "inside")), undefined);
});

test("links without end lead nowhere", async (context) => {
  const folder = await createFolder(context);
  await symlink("it", join(folder, "it"));
  assert.equal(
    await exchangeablePart(join(folder, "it", "there")),
    `${join(folder, "it")} is a link that leads nowhere`,
  );
});

test("what another user has on the way, folder or link", { skip: FOR_ROOT }, async (context) => {
  const folder = await createFolder(context);
  await mkdir(join(folder, "theirs", "mine"), { recursive: true });
  await chown(join(folder, "theirs"), STRANGER, STRANGER);
  await symlink("theirs/mine", join(folder, "link"));
  const theirs = `${join(folder, "theirs")} belongs to another user`;
  assert.equal(await exchangeablePart(join(folder, "theirs", "mine")), theirs);
  assert.equal(await exchangeablePart(join(folder, "link")), theirs);
  await chown(join(folder, "theirs"), 0, 0);
  assert.equal(await exchangeablePart(join(folder, "link")), undefined);
  await lchown(join(folder, "link"), STRANGER, STRANGER);
  assert.equal(
    await exchangeablePart(join(folder, "link")),
    `${join(folder, "link")} belongs to another user`,
  );
});

test("a group that has others may not write", { skip: FOR_ROOT }, async (context) => {
  const around = join(await createFolder(context), "around");
  await mkdir(join(around, "one"), { recursive: true });
  await chown(around, 0, 64_999);
  await chmod(around, 0o775);
  const problem = `${around} can be written by users of group 64999`;
  assert.equal(await exchangeablePart(join(around, "one")), problem);
  await chmod(around, 0o755);
  assert.equal(await exchangeablePart(join(around, "one")), undefined);
});

const ACCOUNTS = ["root:x:0:0:::", "ann:x:1000:1000:::", "bob:x:1001:100:::", ""].map((line) =>
  line.split(":"),
);

/** Of ann. */
const GROUPS: readonly (readonly [line: string, group: number, isOwn: boolean])[] = [
  ["ann:x:1000:", 1000, true],
  ["ann:x:1000:ann,root", 1000, true],
  ["ann:x:1000:bob", 1000, false],
  ["ann:x:1000:ann,nobody-knows", 1000, false],
  ["", 1000, true],
  ["users:x:100:", 100, false],
  ["empty:x:2000:", 2000, false],
  ["shared:x:2000:ann", 2000, false],
  ["root:x:0:", 0, true],
];

for (const [line, group, isOwn] of GROUPS) {
  test(`"${line}": group ${group} is ${isOwn ? "the user's own" : "not the user's own"}`, () => {
    const known = { user: 1000, accounts: ACCOUNTS, groups: [line.split(":"), [""]] };
    assert.equal(holdsNobodyElse(group, known), isOwn);
  });
}
