import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  authorityFiles,
  authorityFolder,
  authorityParts,
  writeFiles,
} from "../../test/kit/authority-folder.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import type { PluggedAuthority, PluggedAuthorityError } from "./plugged-authority.ts";
import { readPluggedAuthority } from "./read-plugged-authority.ts";
import { watchPluggedAuthority } from "./watch-plugged-authority.ts";

const [first, second] = [authorityParts("First"), authorityParts("Second")];

function watching(context: TestContext, directory: string, initial?: PluggedAuthority) {
  const changes: PluggedAuthority[] = [];
  const refusals: PluggedAuthorityError[] = [];
  const emptied: true[] = [];
  const log = recordedLog();
  const clock = { shiftMs: 0, now: () => new Date(Date.now() + clock.shiftMs) };
  const watch = watchPluggedAuthority(directory, {
    onChange: (authority) => changes.push(authority),
    onRefused: (error) => refusals.push(error),
    onEmpty: () => emptied.push(true),
    log,
    clock,
    pollMs: 300,
    ...(initial === undefined ? {} : { initial }),
  });
  context.after(() => watch.close());
  return { changes, refusals, emptied, log, clock };
}

test("CA-46: a new set of files is told once it is whole, however slowly it is written", async (context) => {
  const folder = await authorityFolder(context, authorityFiles(first));
  const { changes, refusals } = watching(
    context,
    folder,
    await readPluggedAuthority(folder, { now: new Date() }),
  );
  for (const [name, text] of Object.entries(authorityFiles(second))) {
    await writeFile(join(folder, name), text);
    await delay(20);
  }
  await eventually("the change", () => changes.length > 0);
  assert.deepEqual(
    changes.map(({ certificatePem }) => certificatePem),
    [second.signing.pem],
  );
  assert.deepEqual(refusals, []);
});

test("what is there is told first, and nothing more while nothing changes", async (context) => {
  const folder = await authorityFolder(context, authorityFiles(first));
  const { changes } = watching(context, folder);
  await eventually("what is there", () => changes.length > 0);
  await writeFiles(folder, { "ca-cert.pem": `words before it\n${first.signing.pem}` });
  await delay(600);
  assert.equal(changes.length, 1);
});

test("a mounted secret whose link is swapped is noticed, all files at once", async (context) => {
  const folder = await authorityFolder(context, {});
  const swapTo = async (parts: typeof first, name: string): Promise<void> => {
    await mkdir(join(folder, name));
    await writeFiles(join(folder, name), authorityFiles(parts));
    await symlink(name, join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  await swapTo(first, "..2026_one");
  for (const name of Object.keys(authorityFiles(first)))
    await symlink(`..data/${name}`, join(folder, name));
  const { changes, refusals } = watching(context, folder);
  await eventually("the first", () => changes.length === 1);
  await swapTo(second, "..2026_two");
  await eventually("the second", () => changes.length === 2);
  assert.equal(changes[1]?.certificatePem, second.signing.pem);
  assert.deepEqual(refusals, []);
});

test("a bad set is told once with its reasons; the good one that comes back is told too, so that nobody goes on about the bad one", async (context) => {
  const folder = await authorityFolder(context, authorityFiles(first));
  const { changes, refusals, log } = watching(context, folder);
  await eventually("what is there", () => changes.length === 1);
  await writeFiles(folder, { "ca-key.pem": second.signing.keyPem });
  await eventually("the refusal", () => refusals.length === 1);
  assert.match(String(refusals[0]?.problems), /^ca-key\.pem is not the key of ca-cert\.pem/);
  await writeFiles(folder, { "ca-key.pem": second.signing.keyPem });
  await delay(500);
  assert.equal(refusals.length, 1);
  await writeFiles(folder, authorityFiles(first));
  await eventually("its return", () => log.find("the custom authority is good again").length === 1);
  await eventually("the good one", () => changes.length === 2);
  assert.equal(changes[1]?.certificatePem, first.signing.pem);
});

test("a folder that is gone is told, and one that comes later is found by looking", async (context) => {
  const folder = await authorityFolder(context, authorityFiles(first));
  const { changes, refusals } = watching(context, folder);
  await eventually("what is there", () => changes.length === 1);
  await rm(folder, { recursive: true });
  await eventually("the refusal", () => refusals.length > 0);
  await eventually("that it is gone", () =>
    refusals.some(({ problems }) => problems.join() === "there is no such folder"),
  );
  await mkdir(folder);
  await writeFiles(folder, authorityFiles(second));
  await eventually("the new one", () => changes.length === 2);
});

test("one that expires while nobody touches it is told", async (context) => {
  const folder = await authorityFolder(context, authorityFiles(first));
  const { changes, refusals, clock } = watching(context, folder);
  await eventually("what is there", () => changes.length === 1);
  clock.shiftMs = 25 * 3_600_000;
  await eventually("the refusal", () => refusals.length === 1);
  assert.match(String(refusals[0]?.problems), /expired/);
});

test("an empty folder is told as empty, before anything was in it and after", async (context) => {
  const folder = await authorityFolder(context, {});
  const { changes, refusals, emptied } = watching(context, folder);
  await eventually("that it is empty", () => emptied.length > 0);
  assert.deepEqual(refusals, [], "whoever fills it has not begun");
  await writeFiles(folder, authorityFiles(first));
  await eventually("what came", () => changes.length === 1);
  const before = emptied.length;
  for (const name of Object.keys(authorityFiles(first))) await rm(join(folder, name));
  await eventually("that it is empty again", () => emptied.length > before);
  await eventually("the refusal", () => refusals.length > 0);
});
