import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { control, data, SpdyWords, told } from "../../../../test/kit/spdy-client.ts";
import { until } from "../../../../test/kit/until.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { SpdyError } from "./spdy-error.ts";

let server: Server;
let client: Socket;
let said: Buffer;
let streams: SpdyStream[];
let served: Promise<unknown>;
let words: SpdyWords;

describe("SPDY on a connection", () => {
  beforeEach(async () => {
    said = Buffer.alloc(0);
    streams = [];
    words = new SpdyWords();
    const accepted = new Promise<Socket>((resolve) => {
      server = createServer(resolve).listen(0, "127.0.0.1");
    });
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    client = connect(address.port, "127.0.0.1");
    client.on("data", (part: Buffer) => {
      said = Buffer.concat([said, part]);
    });
    client.on("error", () => {});
    const transport = await accepted;
    transport.on("error", () => {});
    served = new SpdyConnection({ transport, onStream: (stream) => streams.push(stream) })
      .serve()
      .then(
        () => "ended",
        (error: unknown) => error,
      );
  });
  afterEach(async () => {
    client.destroy();
    await served;
    server.close();
  });

  const heard = (expected: readonly string[]): Promise<true> =>
    until(
      () => `${expected.join(", ")} in ${told(said).join(", ")}`,
      async () => JSON.stringify(told(said)) === JSON.stringify(expected) && (true as const),
    );

  test("streams carry bytes both ways, each ended by itself", async () => {
    client.write(await words.synStream(1, { streamType: "data", port: "8080" }));
    client.write(data(1, "hel"));
    client.write(data(1, "lo", 1));
    const stream = await until("a stream", async () => streams[0]);
    assert.deepEqual(
      [...stream.headers],
      [
        ["streamtype", "data"],
        ["port", "8080"],
      ],
    );
    let text = "";
    stream.on("data", (part: Buffer) => {
      text += part.toString();
    });
    await once(stream, "end");
    assert.equal(text, "hello");
    stream.end("bye");
    await heard(["SYN_REPLY 1", "DATA 1 bye", "FIN 1"]);
  });

  test("a frame may come in any pieces, and several in one", async () => {
    const bytes = Buffer.concat([
      await words.synStream(1, { a: "b" }),
      control(6, Buffer.from([0, 0, 0, 9])),
      await words.synStream(3, { a: "c" }),
    ]);
    client.setNoDelay(true);
    for (const byte of bytes) {
      client.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await heard(["SYN_REPLY 1", "PING 9", "SYN_REPLY 3"]);
    assert.equal(streams[1]?.headers.get("a"), "c", "headers build on those before");
  });

  test("a stream that either side gives up is gone for both", async () => {
    client.write(await words.synStream(1, {}));
    client.write(await words.synStream(3, {}));
    await until("two streams", async () => streams.length === 2);
    client.write(control(3, Buffer.from([0, 0, 0, 1, 0, 0, 0, 5])));
    await until("its end", async () => streams[0]?.destroyed);
    streams[1]?.destroy();
    await heard(["SYN_REPLY 1", "SYN_REPLY 3", "RST 3 5"]);
    client.write(data(3, "too late"));
    client.write(control(6, Buffer.from([0, 0, 0, 1])));
    await until("an answer all the same", async () => told(said).at(-1) === "PING 1");
  });

  test("streams beyond the most are refused, and so are numbers that are not the client's", async () => {
    client.write(await words.synStream(2, {}));
    for (let id = 3; id < 3 + 2 * 257; id += 2) client.write(await words.synStream(id, {}));
    client.write(await words.synStream(3, {}));
    await until("all answers", async () => told(said).length === 259);
    const answers = told(said);
    assert.equal(answers[0], "RST 2 1");
    assert.equal(answers.filter((one) => one.startsWith("SYN_REPLY")).length, 256);
    assert.deepEqual(answers.slice(-2), ["RST 515 3", "RST 3 1"]);
  });

  test("whoever sends more than is read has to wait", async () => {
    client.write(await words.synStream(1, {}));
    const stream = await until("a stream", async () => streams[0]);
    const part = Buffer.alloc(512 * 1024);
    let sent = 0;
    for (; sent < 200 && client.writableLength < 8 * part.length; sent++) {
      client.write(data(1, part));
      await new Promise(setImmediate);
    }
    assert.ok(sent < 200, "the client could send 100 MB that nobody read");
    let read = 0;
    stream.on("data", (bytes: Buffer) => {
      read += bytes.length;
    });
    await until("all of it", async () => read === sent * part.length);
  });

  const REFUSED: readonly (readonly [what: string, bytes: () => Promise<Buffer>, RegExp])[] = [
    [
      "another version",
      async () => Buffer.from([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]),
      /version 2/,
    ],
    ["a huge control frame", async () => control(1, Buffer.alloc(20_000)), /20000 bytes/],
    ["a huge data frame", async () => Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]), /16777215/],
    ["a frame that is too short", async () => control(3, Buffer.alloc(4)), /too short/],
    ["headers that are none", async () => control(1, Buffer.alloc(40, 7)), /decompressed/],
    [
      "headers that grow a thousandfold",
      () => words.synStream(1, { bomb: "0".repeat(1_000_000) }),
      /headers of more than 16384 bytes/,
    ],
    [
      "a hundred headers",
      () =>
        words.synStream(
          1,
          Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`h${n}`, "x"])),
        ),
      /100 headers/,
    ],
  ];
  for (const [what, bytes, problem] of REFUSED) {
    test(`the connection ends with ${what}`, async () => {
      client.write(await bytes());
      const outcome = await served;
      assert.ok(outcome instanceof SpdyError, String(outcome));
      assert.match(outcome.message, problem);
      await until("its end", async () => client.readableEnded || client.destroyed);
    });
  }
});
