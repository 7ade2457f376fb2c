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
  ...{ identity: "", fair: false, hits: 1, advance: "unwelcome" },
};

/** @param answer to each EVALSHA or EVAL; to all else it answers well */
async function counters(
  context: TestContext,
  answer: (socket: Socket) => void,
  { timeoutMs = 20_000, log = recordedLog() } = {},
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
    const counting = await counters(context, (socket) => socket.write(text), { timeoutMs: 20 });
    for (let asked = 0; asked < 5; asked++) await counting.take(COUNT).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  });
}

/** Without end, as fast as it is taken. */
function flood(socket: Socket, beginning: string, text: string): void {
  const octets = Buffer.from(text.repeat(Math.ceil(1_000_000 / text.length)));
  const more = (): void => {
    while (!socket.destroyed && socket.write(octets));
    if (!socket.destroyed) socket.once("drain", more);
  };
  socket.write(beginning);
  more();
}

const floods: [what: string, beginning: string, text: string][] = [
  ["one text", "$2147483647\r\n", "x"],
  ["one line", "-", "x"],
  ["numbers of one list", "*2147483647\r\n", ":1\r\n"],
  ["lists in lists", "", "*1\r\n"],
  ["answers that nobody asked for", "", ":1\r\n"],
];
for (const [what, beginning, text] of floods) {
  test(`an answer without end is not kept: ${what}`, async (context) => {
    let sent = 0;
    const counting = await counters(context, (socket) => {
      flood(socket, beginning, text);
      socket.once("close", () => (sent += socket.bytesWritten));
    });
    await assert.rejects(counting.take(COUNT), CountersAwayError);
    await eventually("the end of it", async () => sent > 0);
    assert.ok(sent < 50_000_000, `${sent}`);
  });
}

test("octet by octet is no answer in time, and then none at all", async (context) => {
  let drops: NodeJS.Timeout | undefined;
  context.after(() => clearInterval(drops));
  const counting = await counters(context, (socket) => {
    socket.write("$1000\r\n");
    drops ??= setInterval(() => socket.write("x"), 20);
  });
  const startedAt = performance.now();
  await assert.rejects(counting.take(COUNT), /no answer in 2 s/);
  assert.ok(performance.now() - startedAt < 10_000);
});

test("a Redis that only follows another one is left, and what it says is told", async (context) => {
  const log = recordedLog();
  const answers = ["-READONLY You can't write against a read only replica.\r\n", GOOD];
  const answer = (socket: Socket): void => void socket.write(answers.shift() ?? GOOD);
  const counting = await counters(context, answer, { log });
  await assert.rejects(counting.take(COUNT), CountersAwayError);
  await eventually("another connection", async () =>
    counting.take(COUNT).then(
      ({ remaining }) => remaining === 5,
      () => false,
    ),
  );
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    [
      "Redis counts for global rate limits",
      "Redis refuses to count",
      "Redis is away",
      "Redis counts for global rate limits",
    ],
  );
});

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
