import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { eventually } from "../../test/kit/eventually.ts";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import { type DecisionPipe, openDecisionPipe } from "./decision-pipe.ts";

interface Opened {
  readonly pipe: DecisionPipe | undefined;
  readonly path: string;
  readonly lines: readonly string[];
  readonly log: RecordedLog;
}

async function opened(context: TestContext, name = "a.pipe"): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "pipe-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  const lines: string[] = [];
  const log = recordedLog();
  const pipe = await openDecisionPipe({ path, take: (line) => lines.push(line), log });
  context.after(() => pipe?.close());
  return { pipe, path, lines, log };
}

async function arrived(lines: readonly string[], expected: readonly string[]): Promise<void> {
  await eventually("the lines", () => lines.length >= expected.length);
  assert.deepEqual(lines, expected);
}

/** By another process, which opens and closes it. */
async function write(path: string, script: string): Promise<void> {
  await promisify(execFile)("sh", ["-c", `{ ${script}; } >> "$0"`, path]);
}

test("lines come whole, from one writer after another, and nobody else may write them", async (context) => {
  const { path, lines } = await opened(context);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await write(path, "printf 'one\\ntw'");
  await write(path, "printf 'o\\nthree\\n'");
  await arrived(lines, ["one", "two", "three"]);
});

test("a line without end is left out, and those after it are not", async (context) => {
  const { path, lines } = await opened(context);
  await write(path, "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\nnext\\n'");
  await arrived(lines, ["next"]);
});

test("what an earlier agent left is replaced", async (context) => {
  const { path, pipe } = await opened(context);
  await pipe?.close();
  const lines: string[] = [];
  const again = await openDecisionPipe({
    path,
    take: (line) => lines.push(line),
    log: recordedLog(),
  });
  context.after(() => again?.close());
  await appendFile(path, "here\n");
  await arrived(lines, ["here"]);
});

test("where there can be none, that is told, and nothing fails", async (context) => {
  const { pipe, log } = await opened(context, "no/such/folder");
  assert.equal(pipe, undefined);
  assert.equal(log.lines.filter(({ level }) => level === "warn").length, 1);
});
