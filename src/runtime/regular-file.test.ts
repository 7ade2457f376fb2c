import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NotReadableFileError, readRegularFile } from "./regular-file.ts";

const folder = mkdtempSync(join(tmpdir(), "hauberk-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
const read = (file: string, links: "followed" | "refused" = "followed") =>
  readRegularFile(file, { maxBytes: 100_000, links });

test("a file is read whole, with its mode", async () => {
  for (const length of [0, 1, 65_536, 65_537, 100_000]) {
    writeFileSync(path("file"), Buffer.alloc(length, 7), { mode: 0o600 });
    const { bytes, mode } = await read(path("file"));
    assert.ok(bytes.equals(Buffer.alloc(length, 7)));
    assert.equal(mode & 0o777, 0o600);
  }
});

test("more than the bound is refused, also of what claims to be empty", async () => {
  writeFileSync(path("long"), Buffer.alloc(100_001));
  await assert.rejects(read(path("long")), /^Error: is longer than 100000 bytes|is longer than/);
  await assert.rejects(
    readRegularFile("/proc/self/status", { maxBytes: 10, links: "followed" }),
    NotReadableFileError,
  );
});

test("a pipe that nobody writes, a device, a folder and a socket are refused at once, through links too", async (context) => {
  execFileSync("mkfifo", [path("pipe")]);
  symlinkSync("pipe", path("to-pipe"));
  symlinkSync("/dev/zero", path("zero"));
  const server = createServer().listen(path("socket"));
  context.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const names = ["pipe", "to-pipe", "zero", "socket", "."];
  const started = performance.now();
  for (const name of names) await assert.rejects(read(path(name)), name);
  await assert.rejects(read("/dev/zero"), NotReadableFileError);
  await assert.rejects(read(path("pipe")), /is no regular file/);
  assert.ok(performance.now() - started < 2_000);
});

test("a link is followed where that is said, and else refused", async () => {
  writeFileSync(path("target"), "text");
  symlinkSync("target", path("link"));
  assert.equal((await read(path("link"))).bytes.toString(), "text");
  await assert.rejects(read(path("link"), "refused"), /ELOOP/);
});
