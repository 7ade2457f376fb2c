import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { LogLine, LogSource } from "./log-source.ts";
import type { LogWish } from "./log-wish.ts";
import { serveLog } from "./serve-log.ts";

const EVERYTHING: LogWish = {
  follow: false,
  previous: false,
  timestamps: false,
  since: undefined,
  tailLines: undefined,
  limitBytes: undefined,
};

const line = (at: string, text: string): LogLine => ({
  at: Date.parse(at),
  text: Buffer.from(text, "latin1"),
});

/** What a client is told of a log that ended. */
async function told(batches: readonly LogLine[][], wish: Partial<LogWish>): Promise<Buffer> {
  const source: LogSource = {
    async *readOn() {
      yield* batches;
    },
    lastLine: () => undefined,
    close: async () => {},
  };
  const server = createServer((_, response) => {
    void serveLog({ source, wish: { ...EVERYTHING, ...wish }, isOver: () => true }, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    return Buffer.from(await answer.arrayBuffer());
  } finally {
    server.close();
  }
}

const LINES = [
  [line("2026-01-01T00:00:00Z", "a\n"), line("2026-01-01T00:00:00Z", "\xff\n")],
  [line("2026-01-01T00:00:01.5Z", "b\n"), line("2026-01-01T00:00:00Z", "c\n")],
];

test("each line has its own time before it, and its own bytes", async () => {
  const all = await told(LINES, { timestamps: true });
  assert.deepEqual(all.toString("latin1").split("\n"), [
    "2026-01-01T00:00:00.000Z a",
    "2026-01-01T00:00:00.000Z \xff",
    "2026-01-01T00:00:01.500Z b",
    "2026-01-01T00:00:00.000Z c",
    "",
  ]);
  assert.equal((await told(LINES, {})).toString("latin1"), "a\n\xff\nb\nc\n");
});

test("bytes are limited with the times", async () => {
  const some = await told(LINES, { timestamps: true, limitBytes: 30 });
  assert.equal(some.toString("latin1"), "2026-01-01T00:00:00.000Z a\n202");
});
