import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as nodeTest } from "node:test";
import type { LogSource } from "./log-source.ts";
import { openProxyLog, type ToldCall } from "./proxy-log.ts";

// Of this file alone: the hooks of a file would run for all files of its process.
let folder: string;
const test = (name: string, run: () => Promise<void>): void =>
  void nodeTest(name, async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-log-"));
    await run().finally(() => rm(folder, { recursive: true }));
  });

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;
const own = (second: number, message: string): string =>
  `${JSON.stringify({ time: at(second), level: "info", message })}\n`;
/** `SECOND NAME` stands for an entry. */
const tell = (line: string): ToldCall | undefined => {
  const [, second, name] = /^(\d+) (\w+)\n$/.exec(line) ?? [];
  if (second === undefined) return undefined;
  return { time: at(Number(second)), access: `access ${name}`, remarks: [`remark ${name}`] };
};

async function readOn(source: LogSource): Promise<string[]> {
  const texts: string[] = [];
  for await (const lines of source.readOn())
    texts.push(...lines.map(({ text }) => text.toString().replace(/.*"message":"(\w+)".*/, "$1")));
  return texts.map((text) => text.trimEnd());
}

test("what the sidecar says and what it decided are one log, by time, with what full files held", async () => {
  await writeFile(join(folder, "sidecar.log.1"), own(1, "first"));
  await writeFile(join(folder, "sidecar.log"), own(3, "third") + own(9, "ninth"));
  await writeFile(join(folder, "access.log"), "2 a\nnonsense\n5 b\n4 late\n");
  const source = openProxyLog(folder, { run: { start: 0 }, tell });
  assert.deepEqual(await readOn(source), [
    ...["first", "remark a", "access a", "third"],
    ...["remark b", "access b", "remark late", "access late", "ninth"],
  ]);
  await appendFile(join(folder, "access.log"), "11 c\n");
  await appendFile(join(folder, "sidecar.log"), own(10, "tenth"));
  assert.deepEqual(await readOn(source), ["tenth", "remark c", "access c"]);
  await source.close();
});

test("OBS-3 an access log that users configured takes the place of the default one", async () => {
  await writeFile(join(folder, "access.log"), "2 a\n");
  await writeFile(
    join(folder, "istio-access.log"),
    `[${at(3)}] theirs\n{"start_time":"${at(4)}","x":1}\nno time\n`,
  );
  const source = openProxyLog(folder, { run: { start: 0 }, tell });
  assert.deepEqual(await readOn(source), [
    ...["remark a", `[${at(3)}] theirs`, `{"start_time":"${at(4)}","x":1}`, "no time"],
  ]);
  await source.close();
});

test("a run is what was said while it ran", async () => {
  await writeFile(join(folder, "sidecar.log"), [1, 2, 3, 4].map((s) => own(s, `s${s}`)).join(""));
  const run = { start: Date.parse(at(2)), end: Date.parse(at(4)) };
  const source = openProxyLog(folder, { run, tell });
  assert.deepEqual(await readOn(source), ["s2", "s3"]);
  await source.close();
});
