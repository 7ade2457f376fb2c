import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { NoFirstLineError, readFirstLine } from "./first-line.ts";

const open: (Server | Socket)[] = [];
after(() => {
  for (const one of open) "destroy" in one ? one.destroy() : one.close();
});

async function pair(): Promise<{ readonly speaker: Socket; readonly reader: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === "object");
  const speaker = connect({ port: bound.port, host: "127.0.0.1", noDelay: true });
  const [reader] = (await once(server, "connection")) as [Socket];
  open.push(server, speaker, reader);
  speaker.on("error", () => {});
  return { speaker, reader };
}

const LIMITS = { maxBytes: 20, timeoutMs: 10_000 };

test("the line is taken off, what follows is left, in order", async () => {
  const { speaker, reader } = await pair();
  const line = readFirstLine(reader, LIMITS);
  for (const part of ["CON", "NECT a", "\nrest ", "of it"]) {
    speaker.write(part);
    await turn();
  }
  assert.equal(await line, "CONNECT a");
  speaker.end();
  let rest = "";
  for await (const chunk of reader) rest += String(chunk);
  assert.equal(rest, "rest of it");
});

test("a line of just the allowed length is a line", async () => {
  const { speaker, reader } = await pair();
  speaker.write(`${"x".repeat(20)}\n`);
  assert.equal(await readFirstLine(reader, LIMITS), "x".repeat(20));
});

const failures: [what: string, speak: (speaker: Socket) => void, problem: RegExp][] = [
  ["a line without end", (speaker) => speaker.write("x".repeat(21)), /longer than 20/],
  ["a long line", (speaker) => speaker.write(`${"x".repeat(21)}\n`), /longer than 20/],
  ["an end without line", (speaker) => speaker.end("half"), /ended/],
  ["a connection that is cut", (speaker) => speaker.resetAndDestroy(), /ECONNRESET|ended/],
  ["silence", () => {}, /nothing within 50 ms/],
];
for (const [what, speak, problem] of failures) {
  test(`${what} is refused`, async () => {
    const { speaker, reader } = await pair();
    const line = readFirstLine(reader, {
      maxBytes: 20,
      timeoutMs: what === "silence" ? 50 : 10_000,
    });
    speak(speaker);
    await assert.rejects(line, (error) => {
      assert.ok(error instanceof NoFirstLineError && error.cause instanceof Error);
      return problem.test(error.cause.message);
    });
  });
}
