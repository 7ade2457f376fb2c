import assert from "node:assert/strict";
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { AccessLogTail } from "./access-log-tail.ts";

interface Logs {
  readonly file: (pod: string) => string;
  readonly write: (pod: string, text: string) => Promise<void>;
  /** `pod start_time` of every entry since the last look. */
  readonly look: () => Promise<readonly string[]>;
  readonly tail: AccessLogTail;
}

async function createLogs(
  context: { after(done: () => Promise<void>): void },
  {
    wants = () => true,
    fromOldest = false,
  }: { readonly wants?: (pod: string) => boolean; readonly fromOldest?: boolean } = {},
): Promise<Logs> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  const tail = new AccessLogTail({ directory, wants, fromOldest });
  context.after(async () => {
    await tail.close();
    await rm(directory, { recursive: true });
  });
  const file = (pod: string): string => join(directory, pod, "access.log");
  return {
    file,
    tail,
    async write(pod, text) {
      await mkdir(dirname(file(pod)), { recursive: true });
      await appendFile(file(pod), text);
    },
    async look() {
      const seen: string[] = [];
      await tail.look(({ pod, entry }) => seen.push(`${pod} ${entry.start_time}`));
      return seen;
    },
  };
}

const line = (time: number): string => `${JSON.stringify({ start_time: String(time) })}\n`;

test("what is written since the last look is told once, new pods included", async (context) => {
  const { write, look } = await createLogs(context);
  assert.deepEqual(await look(), []);
  await write("shop/api-0", line(1) + line(2));
  assert.deepEqual(await look(), ["shop/api-0 1", "shop/api-0 2"]);
  await write("shop/api-0", line(3));
  await write("bank/db-0", line(4));
  assert.deepEqual(await look(), ["shop/api-0 3", "bank/db-0 4"]);
  assert.deepEqual(await look(), []);
});

test("a line is told once it has been written to its end", async (context) => {
  const { write, look } = await createLogs(context);
  const text = line(1);
  await write("shop/api-0", text.slice(0, 9));
  assert.deepEqual(await look(), []);
  await write("shop/api-0", text.slice(9));
  assert.deepEqual(await look(), ["shop/api-0 1"]);
});

test("a file that is cut short is read from its beginning", async (context) => {
  const { file, write, look } = await createLogs(context);
  await write("shop/api-0", line(1) + line(2));
  await look();
  await truncate(file("shop/api-0"));
  await write("shop/api-0", line(3));
  assert.deepEqual(await look(), ["shop/api-0 3"]);
});

test("a file that begins anew is read to its end in its predecessor", async (context) => {
  const { file, write, look } = await createLogs(context);
  await write("shop/api-0", line(1));
  await look();
  await write("shop/api-0", line(2));
  await copyFile(file("shop/api-0"), `${file("shop/api-0")}.1`);
  await truncate(file("shop/api-0"));
  await write("shop/api-0", line(3).slice(0, 9));
  assert.deepEqual(await look(), ["shop/api-0 2"]);
  await write("shop/api-0", line(3).slice(9));
  assert.deepEqual(await look(), ["shop/api-0 3"]);
});

test("whoever asks for the oldest begins with what the log held before, once", async (context) => {
  const { file, write, look } = await createLogs(context, { fromOldest: true });
  await write("shop/api-0", line(3));
  await writeFile(`${file("shop/api-0")}.1`, line(1) + line(2));
  assert.deepEqual(await look(), ["shop/api-0 1", "shop/api-0 2", "shop/api-0 3"]);
  assert.deepEqual(await look(), []);
});

test("what is just being copied to the older file is told once", async (context) => {
  const { file, write, look } = await createLogs(context, { fromOldest: true });
  await write("shop/api-0", line(1) + line(2));
  await writeFile(`${file("shop/api-0")}.1`, line(1));
  assert.deepEqual(await look(), ["shop/api-0 1", "shop/api-0 2"]);
});

test("nobody else begins with the older file", async (context) => {
  const { file, write, look } = await createLogs(context);
  await write("shop/api-0", line(2));
  await writeFile(`${file("shop/api-0")}.1`, line(1));
  assert.deepEqual(await look(), ["shop/api-0 2"]);
});

test("a file that is replaced is read to its end first", async (context) => {
  const { file, write, look } = await createLogs(context);
  await write("shop/api-0", line(1));
  await look();
  await write("shop/api-0", line(2));
  await rename(file("shop/api-0"), `${file("shop/api-0")}.1`);
  await writeFile(file("shop/api-0"), line(3));
  assert.deepEqual(await look(), ["shop/api-0 2", "shop/api-0 3"]);
  await rm(file("shop/api-0"));
  assert.deepEqual(await look(), []);
  await write("shop/api-0", line(4));
  assert.deepEqual(await look(), ["shop/api-0 4"]);
});

test("lines that are no entries are counted, and lost alone", async (context) => {
  const { write, look, tail } = await createLogs(context);
  const tooLong = `"${"x".repeat(1024 * 1024 + 10)}"\n`;
  await write("shop/api-0", `nonsense\n{"a":1}\n[]\n${tooLong}${line(1)}`);
  assert.deepEqual(await look(), ["shop/api-0 1"]);
  assert.equal(tail.garbledLines, 4);
});

test("a log larger than what is read at once is told whole", async (context) => {
  const { write, look } = await createLogs(context);
  const times = Array.from({ length: 40_000 }, (_, at) => at);
  await write("shop/api-0", times.map(line).join(""));
  assert.deepEqual(
    await look(),
    times.map((time) => `shop/api-0 ${time}`),
  );
});

test("only pods that are wanted are read", async (context) => {
  const { write, look } = await createLogs(context, { wants: (pod) => pod === "shop/api-0" });
  await write("shop/api-0", line(1));
  await write("shop/db-0", line(2));
  assert.deepEqual(await look(), ["shop/api-0 1"]);
});
