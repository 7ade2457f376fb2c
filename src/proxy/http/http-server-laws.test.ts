/** Whatever clients send, however they leave, and whatever handlers do: each exchange ends once, and nothing is left over. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  dial,
  type HttpStage,
  type SeenRequest,
  startHttpStage,
  type Told,
} from "../../../test/kit/http-server-stage.ts";
import { data, GET, headers, opening, POST, ping, reset } from "../../../test/kit/http2-frames.ts";
import { HeldFields } from "./held-fields.ts";

const stages: HttpStage[] = [];
after(() => {
  for (const stage of stages) stage.close();
});

const NONE = HeldFields.borrow();
const PIECE = Buffer.alloc(3_000, "x");
const answer = (status: number) => ({ status, body: "an answer", flags: "-", details: "law" });
const head = (contentLength: number) => ({ status: 200, fields: NONE, contentLength });

/** What handlers may do, on whatever they are told. */
const doings: readonly ((seen: SeenRequest) => void)[] = [
  () => {},
  ({ stream }) => stream.answer(answer(200)),
  ({ stream }) => stream.answer(answer(403)),
  ({ stream, octets }) => stream.consumed(octets),
  ({ stream }) => stream.head(head(-1), "more"),
  ({ stream }) => stream.head(head(6_000), "more"),
  ({ stream }) => stream.head(head(0), "last"),
  ({ stream }) => stream.interim(103, NONE),
  ({ stream }) => stream.reset(),
  ({ stream }) => stream.retireConnection(),
  ({ stream }) => stream.answer({ ...answer(200), headers: ["bad name", "x"] }),
  (seen) => later(() => seen.stream.answer(answer(201))),
  (seen) => later(() => seen.stream.reset()),
];
/** What they may do once they have begun an answer. */
const endings: readonly ((seen: SeenRequest) => void)[] = [
  ({ stream }) => stream.data(PIECE, 0, PIECE.length, "more"),
  ({ stream }) => stream.data(PIECE, 0, PIECE.length, "last"),
  ({ stream }) => stream.data(PIECE, 0, 0, "last"),
  ({ stream }) => stream.trailers(NONE),
  (seen) => later(() => seen.stream.data(PIECE, 0, PIECE.length, "last")),
];

/** A client whose bytes nobody takes leaves unseen: its silence ends the exchange. */
const QUICK = {
  headersMs: 60,
  keepAliveMs: 60,
  exchangeMs: 60,
  idleMs: 60,
  lingerMs: 20,
  checkMs: 5,
};

const SOON = { withinMs: 5_000 };

function later(act: () => void): void {
  setTimeout(act, 2);
}

const http1 = [
  "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
  "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a HTTP/1.0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n${"x".repeat(200_000)}`,
  "no request\r\n\r\n",
].map((text) => Buffer.from(text, "latin1"));

const http2 = [1, 3, 5, 7].flatMap((id) => [
  headers(id, GET),
  headers(id, POST, "more"),
  data(id, "hello"),
  data(id, "hello", "last"),
  data(id, "x".repeat(16_000)),
  headers(id, [["x-t", "1"]]),
  headers(id, GET.slice(1)),
  reset(id, 8),
  ping(),
]);

for (const [protocol, parts, first] of [
  ["HTTP/1", http1, Buffer.alloc(0)],
  ["HTTP/2", http2, opening("client")],
] as const) {
  test(`law, ${protocol}: each exchange ends exactly once, and its connection with it`, async () => {
    let choices: readonly number[] = [];
    let turn = 0;
    const toldAfterEnd: string[] = [];
    const stage = await startHttpStage(
      (seen, told: Told) => {
        if (seen.timesFinished > (told === "finished" ? 1 : 0)) toldAfterEnd.push(told);
        const choice = choices[turn++ % choices.length] ?? 0;
        if (choice === 99 && told === "request") {
          stage.requests.pop(); // nobody knows its sink
          throw new Error("a defect");
        }
        doings[choice % doings.length]?.(seen);
        if (choice % 3 === 0) endings[choice % endings.length]?.(seen);
      },
      { protocol, limits: QUICK },
    );
    stages.push(stage);
    const ways = fc.constantFrom("destroy", "end", "reset" as const);
    const sent = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 8 });
    const picks = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sent, picks, ways, fc.nat(), async (pieces, chosen, way, cut) => {
        choices = chosen;
        turn = 0;
        stage.requests.length = 0;
        const all = Buffer.concat([first, ...pieces]);
        const socket = dial(stage.port).resume();
        socket.write(all.subarray(0, 1 + (cut % all.length)));
        await new Promise((resolve) => setTimeout(resolve, cut % 4));
        if (way === "destroy") socket.destroy();
        else if (way === "end") socket.end();
        else socket.resetAndDestroy();
        await eventually("the connection to be forgotten", () => stage.http.size === 0, SOON);
        const isOver = (): boolean =>
          stage.requests.every(({ timesFinished }) => timesFinished > 0);
        await eventually("each exchange to end", isOver, SOON);
        socket.destroy();
        assert.deepEqual(
          stage.requests.filter(({ timesFinished }) => timesFinished > 1),
          [],
        );
        assert.deepEqual(toldAfterEnd, []);
      }),
      { numRuns: 150, endOnFailure: true },
    );
  });
}
