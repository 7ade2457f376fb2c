import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { beginLogAnew } from "./log-file.ts";
import { type OpenLog, SharedLogs } from "./shared-logs.ts";

let folder: string;
let count = 0;
const descriptors: number[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(async () => {
  for (const descriptor of descriptors) closeSync(descriptor);
  await rm(folder, { recursive: true });
});

function opened(path: string): number {
  const descriptor = openSync(path, "a+", 0o600);
  descriptors.push(descriptor);
  return descriptor;
}

/** Each writer has a descriptor of its own, as each process has. */
function logOf(writers: number, maxBytes: number) {
  const path = join(folder, `${count++}.log`);
  const full: number[] = [];
  const processes = Array.from({ length: writers }, (_, index) => {
    const logs = new SharedLogs(() => full.push(index));
    return { logs, file: logs.open({ descriptor: opened(path), maxBytes }) };
  });
  const own = { descriptor: opened(path), predecessor: opened(`${path}.1`) };
  return {
    processes,
    full,
    /** As the process that holds the ports does it. */
    beginAnew: async () => {
      for (const { logs } of processes) logs.hold();
      await beginLogAnew(own);
      for (const { logs } of processes) logs.release();
    },
    read: () => readFile(path, "utf8"),
    older: () => readFile(`${path}.1`, "utf8"),
  };
}

const bytes = (text: string): Uint8Array => Buffer.from(`${text}\n`);

test("whoever makes a log full says so once, until it has begun anew", async () => {
  const { processes, full, beginAnew } = logOf(2, 10);
  const [one, other] = processes;
  assert.ok(one && other);
  one.file.write("123");
  assert.deepEqual(full, []);
  other.file.write("123456");
  other.file.write("7");
  assert.deepEqual(full, [1]);
  one.file.write("8");
  assert.deepEqual(full, [1, 0]);
  await beginAnew();
  other.file.write("9");
  assert.deepEqual(full, [1, 0]);
  other.file.write("123456789");
  assert.deepEqual(full, [1, 0, 1]);
});

test("what is written while it is held comes later, in its order", async () => {
  const { processes, read } = logOf(1, 1_000);
  const [one] = processes;
  assert.ok(one);
  one.file.write("before");
  one.logs.hold();
  one.file.write("first");
  const second = one.file.append(bytes("second"));
  await setImmediate();
  assert.equal(await read(), "before\n");
  one.logs.release();
  await second;
  await one.file.flush();
  assert.equal(await read(), "before\nfirst\nsecond\n");
});

test("at the end of the process nothing is held back", async () => {
  const { processes, read } = logOf(1, 1_000);
  const [one] = processes;
  assert.ok(one);
  one.logs.hold();
  one.file.writeNow(bytes("last"));
  assert.equal(await read(), "last\n");
});

test("single lines that wait are bounded", async () => {
  const { processes, read } = logOf(1, Number.POSITIVE_INFINITY);
  const [one] = processes;
  assert.ok(one);
  one.logs.hold();
  const line = "x".repeat(100_000);
  for (let number = 0; number < 100; number++) one.file.write(line);
  one.logs.release();
  await one.file.append(bytes("end"));
  const lines = (await read()).split("\n").length - 2;
  assert.ok(lines >= 5 && lines <= 11, `${lines} of 100`);
});

test("law: however it is written and begun anew, each line is there once, whole, and each writer's in order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), writer: fc.nat(2) }),
    fc.record({ kind: fc.constant("append" as const), writer: fc.nat(2) }),
    fc.constant({ kind: "anew" as const }),
    fc.constant({ kind: "turn" as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { processes, beginAnew, read, older } = logOf(3, 1_000_000);
      const written: Promise<void>[] = [];
      let kept = "";
      let number = 0;
      let beginning = Promise.resolve();
      for (const one of steps) {
        if (one.kind === "turn") await setImmediate();
        else if (one.kind === "anew") {
          await beginning;
          kept += await older();
          beginning = beginAnew();
        } else
          written.push(put(processes[one.writer]?.file, `${one.writer} ${number++}`, one.kind));
      }
      await beginning;
      await Promise.all(written);
      await Promise.all(processes.map(({ file }) => file.flush()));
      const lines = `${kept}${await older()}${await read()}`.split("\n").slice(0, -1);
      assert.equal(lines.length, number);
      for (const writer of ["0", "1", "2"]) {
        const own = lines.filter((line) => line.startsWith(`${writer} `));
        const numbers = own.map((line) => Number(line.slice(2)));
        assert.deepEqual(
          numbers,
          numbers.toSorted((left, right) => left - right),
        );
      }
    }),
    { numRuns: 60 },
  );
});

async function put(
  file: OpenLog | undefined,
  line: string,
  kind: "write" | "append",
): Promise<void> {
  if (kind === "append") await file?.append(bytes(line));
  else file?.write(line);
}
