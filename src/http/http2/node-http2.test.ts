/** Our connection and node:http2, which none of us wrote, over real sockets: each is the server of the other. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  sensitiveHeaders,
} from "node:http2";
import { connect as connectSocket } from "node:net";
import { after, before, test } from "node:test";
import { Dice } from "../../../test/kit/dice.ts";
import { carryHttp2 } from "../../../test/kit/http2-carrier.ts";
import { type EchoServer, startEchoServer } from "../../../test/kit/http2-echo.ts";
import { sayFields, sayHead } from "../../../test/kit/http2-frames.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { STREAM_WINDOW } from "./limits.ts";
import type { Http2Stream } from "./stream.ts";

const LARGE = 3_000_000;
const WAIT = { timeout: 20_000 };

let echo: EchoServer;
let session: ClientHttp2Session;

before(async () => {
  echo = await startEchoServer();
  // It counts what it has still to send, too.
  session = connect(`http://127.0.0.1:${echo.port}`, { maxSessionMemory: 100 });
  await once(session, "connect");
});
after(() => {
  session.destroy();
  echo.close();
});

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly informational: IncomingHttpHeaders[];
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
}

async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  const informational: IncomingHttpHeaders[] = [];
  let trailers: IncomingHttpHeaders | undefined;
  const parts: Buffer[] = [];
  stream.on("headers", (headers: IncomingHttpHeaders) => informational.push(headers));
  stream.on("trailers", (headers: IncomingHttpHeaders) => {
    trailers = headers;
  });
  stream.on("data", (part: Buffer) => parts.push(part));
  const ended = once(stream, "end");
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  await ended;
  return { headers, informational, body: Buffer.concat(parts), trailers };
}

test("node asks: head, body and trailers come back, after a head of status 103", WAIT, async () => {
  const stream = session.request(
    { ":method": "POST", ":path": "/a?b=c", "x-id": "7" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "12" }));
  stream.end("some body");
  const { headers, informational, body, trailers } = await answerTo(stream);
  assert.equal(headers[":status"], 200);
  assert.equal(headers["x-seen"], `POST http 127.0.0.1:${echo.port} /a?b=c`);
  assert.equal(headers["x-id"], "7");
  assert.equal(informational[0]?.[":status"], 103);
  assert.equal(body.toString(), "some body");
  assert.equal(trailers?.["x-sum"], "12");
});

test(
  "node asks: large bodies on many streams at once come back whole, and little is held",
  WAIT,
  async () => {
    const bodies = [1, 2, 3, 4, 5].map((fill) => Buffer.alloc(LARGE, `${fill} body ${fill}.`));
    const answers = await Promise.all(
      bodies.map((body) => {
        const stream = session.request({ ":method": "PUT" });
        stream.end(body);
        return answerTo(stream);
      }),
    );
    for (const [at, { body }] of answers.entries()) assert.ok(bodies[at]?.equals(body));
    assert.ok(echo.mostHeld() <= bodies.length * STREAM_WINDOW, "back-pressure holds the sender");
  },
);

test("node asks and gives up: the stream is reset, and the connection goes on", WAIT, async () => {
  const stream = session.request({ ":method": "POST" });
  // More than windows hold: else node ends the body before it gives up.
  stream.write(Buffer.alloc(LARGE));
  await once(stream, "response");
  const { id } = stream;
  const closed = once(stream, "close");
  stream.close(constants.NGHTTP2_CANCEL);
  await closed;
  const next = session.request({ ":path": "/next" });
  next.end();
  assert.equal((await answerTo(next)).headers[":status"], 200);
  assert.deepEqual(echo.notes, [`reset ${id} ${ERROR_CODE.CANCEL}`]);
});

/** Names and values of which some repeat, so that node's encoder uses its table in every way. */
function fieldsOf(dice: Dice): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {};
  for (let at = dice.between(0, 12); at > 0; at--) {
    const name = dice.chance(0.5)
      ? `x-${dice.between(0, 30)}`
      : dice.pick([
          "accept",
          "user-agent",
          "referer",
          "cookie",
          "date",
          "x-long-name-that-comes-often",
        ]);
    const length = dice.chance(0.1) ? dice.between(0, 5_000) : dice.between(0, 40);
    const text = Array.from({ length }, () => String.fromCharCode(dice.between(32, 126)))
      .join("")
      .trim();
    fields[name] = dice.chance(0.6) ? `value ${dice.between(0, 9)}` : text;
  }
  const secret = Object.keys(fields).filter(() => dice.chance(0.1));
  return { ...fields, [sensitiveHeaders]: secret } as OutgoingHttpHeaders;
}

test(
  "what node's HPACK encodes ours decodes alike, over 1,500 heads of one connection",
  WAIT,
  async () => {
    const dice = new Dice(2024);
    for (let round = 0; round < 30; round++) {
      const heads = Array.from({ length: 50 }, () => fieldsOf(dice));
      const answers = heads.map((head) => {
        const stream = session.request(head);
        stream.end();
        return answerTo(stream);
      });
      for (const [at, { headers }] of (await Promise.all(answers)).entries()) {
        for (const [name, value] of Object.entries(heads[at] ?? {}))
          assert.equal(headers[name], value, name);
      }
    }
  },
);

interface Exchange {
  readonly told: string[];
  readonly done: () => void;
  received: number;
}

test("we ask node: bodies, trailers, resets, 1xx, and a graceful end", WAIT, async () => {
  const server = createServer({ settings: { headerTableSize: 0, maxHeaderListSize: 100_000 } });
  server.on("stream", serveFromNode);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connectSocket(address.port, "127.0.0.1");
  await once(socket, "connect");
  const block = new FieldBlock();
  const pushing = new Map<number, number>();
  const { connection } = carryHttp2<Exchange>("client", socket, (own) => ({
    head: ({ context }, head, following) => {
      context?.told.push(`${sayHead(head)} ${following}`.replace(/, date: \w+, [^,}]*/, ""));
      if (following === "last") context?.done();
    },
    data: (stream, { from, to, following }) => {
      own.consumed(stream, to - from);
      if (stream.context === undefined) return;
      stream.context.received += to - from;
      if (following === "last") stream.context.done();
    },
    trailers: ({ context }, fields) => {
      context?.told.push(`trailers ${sayFields(fields)}`);
      context?.done();
    },
    reset: ({ context }, code) => {
      context?.told.push(`reset ${code}`);
      context?.done();
    },
    writable: (stream) => push(stream),
  }));
  const push = (stream: Http2Stream<Exchange>): void => {
    const left = pushing.get(stream.id) ?? 0;
    const piece = { bytes: Buffer.alloc(left, "u"), from: 0, to: left, following: "last" } as const;
    pushing.set(stream.id, left - connection.sendData(stream, piece));
  };
  const ask = (path: string, octets: number): Promise<Exchange> =>
    new Promise((resolve) => {
      const exchange: Exchange = { told: [], received: 0, done: () => resolve(exchange) };
      block.request(octets > 0 ? "POST" : "GET", "http");
      block.authority("shop.example");
      block.path(path);
      block.add("authorization", "secret");
      const stream = connection.open(block, octets > 0 ? "more" : "last", exchange);
      pushing.set(stream.id, octets);
      if (octets > 0) push(stream);
    });
  const [plain, large, trailed, reset] = await Promise.all([
    ask("/plain", 0),
    ask("/large", LARGE),
    ask("/trailers", 10),
    ask("/reset", 0),
  ]);
  assert.deepEqual(plain.told, ["103 {link: </a>} more", "200 {x-got: 0 secret} last"]);
  assert.deepEqual(large.told, [`200 {x-got: ${LARGE} secret} more`]);
  assert.equal(large.received, LARGE);
  assert.deepEqual(trailed.told, ["200 {x-got: 10 secret} more", "trailers {x-sum: 9}"]);
  assert.deepEqual(reset.told, [`reset ${ERROR_CODE.ENHANCE_YOUR_CALM}`]);
  const closed = once(socket, "close");
  connection.drain();
  await closed;
  server.close();
});

function serveFromNode(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  let got = 0;
  if (headers[":path"] === "/reset") {
    stream.once("error", () => {});
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  if (headers[":path"] === "/plain") stream.additionalHeaders({ ":status": 103, link: "</a>" });
  stream.on("data", (part: Buffer) => {
    got += part.length;
  });
  stream.on("end", () => {
    const answer = { ":status": 200, "x-got": `${got} ${headers.authorization}` };
    if (headers[":path"] === "/plain") stream.respond(answer, { endStream: true });
    else if (headers[":path"] === "/trailers") {
      stream.respond(answer, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "9" }));
      stream.end("answer");
    } else {
      stream.respond(answer);
      stream.end(Buffer.alloc(got, "d"));
    }
  });
}
