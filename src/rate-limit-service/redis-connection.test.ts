/** What a Redis that is none, or is somebody's, can do to whoever asks it: nothing but fail to answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { type Count, CountersAwayError } from "./counters.ts";
import { connectRedis } from "./redis-connection.ts";
import { RedisCounters } from "./redis-counters.ts";

const COUNT: Count = {
  ...{ limit: "shop/checkout/all", key: "", rate: 0.1, burst: 100 },
  ...{ identity: "", hits: 1, advance: "unwelcome" },
};

/** @param answer to each EVALSHA or EVAL; to all else it answers well */
async function counters(
  context: TestContext,
  answer: (socket: Socket) => void,
  timeoutMs = 20_000,
): Promise<RedisCounters> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      const commands = bytes.toString("latin1").match(/\*\d+\r\n\$\d+\r\n\w+/g) ?? [];
      for (const command of commands) {
        if (command.includes("EVAL")) answer(socket);
        else socket.write("+OK\r\n");
      }
    });
    context.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const log = recordedLog();
  const connection = connectRedis({ host: "127.0.0.1", port, database: 0 }, log, timeoutMs);
  context.after(() => connection.close());
  context.after(() => server.close());
  await eventually("a connection", async () => log.find("Redis counts").length > 0);
  return new RedisCounters(connection, { prefix: "test:" });
}

const GOOD = "*4\r\n:1\r\n:0\r\n:5\r\n:0\r\n";

const faults: [what: string, text: string][] = [
  ["an error", "-ERR no such thing\r\n"],
  ["a text", "+OK\r\n"],
  ["nothing", "*-1\r\n"],
  ["too few numbers", "*3\r\n:1\r\n:0\r\n:5\r\n"],
  ["too many numbers", "*5\r\n:1\r\n:0\r\n:5\r\n:0\r\n:0\r\n"],
  ["a negative number", "*4\r\n:1\r\n:0\r\n:-5\r\n:0\r\n"],
  ["texts for numbers", "*4\r\n$1\r\n1\r\n$1\r\n0\r\n$1\r\n5\r\n$1\r\n0\r\n"],
  ["a number beyond all numbers", "*4\r\n:99999999999999999999\r\n:0\r\n:5\r\n:0\r\n"],
];
for (const [what, text] of faults) {
  test(`an answer that is none is nobody's count: ${what}`, async (context) => {
    const answers = [text, GOOD];
    const counting = await counters(context, (socket) => socket.write(answers.shift() ?? GOOD));
    await assert.rejects(counting.take(COUNT), CountersAwayError);
    assert.equal((await counting.take(COUNT)).remaining, 5);
  });
}

for (const [what, text] of [
  ["what nobody asked for", GOOD + GOOD + GOOD],
  ["what is no Redis's language", "HTTP/1.1 400 Bad Request\r\n\r\n"],
] as const) {
  test(`${what} harms nobody`, async (context) => {
    const counting = await counters(context, (socket) => socket.write(text), 20);
    for (let asked = 0; asked < 5; asked++) await counting.take(COUNT).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  });
}

test("a script that Redis has forgotten is told to it again", async (context) => {
  const answers = ["-NOSCRIPT No matching script.\r\n", GOOD];
  const counting = await counters(context, (socket) => socket.write(answers.shift() ?? ""));
  assert.equal((await counting.take(COUNT)).granted, 1);
  assert.equal(answers.length, 0);
});

test("a connection that is cut while it is asked fails those that wait, at once", async (context) => {
  const counting = await counters(context, (socket) => socket.destroy());
  await assert.rejects(counting.take(COUNT), CountersAwayError);
});
