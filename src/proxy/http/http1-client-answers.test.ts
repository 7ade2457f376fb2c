/** What is told of what a callee of HTTP/1 answers, however it comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import { http1Callee, OK, send } from "../../../test/kit/http1-callee.ts";
import type { RequestParts } from "../../../test/kit/recorded-answer.ts";

const stage = http1Callee();

interface AnswerCase {
  readonly name: string;
  readonly parts?: RequestParts;
  readonly bytes: string;
  /** Whether the callee ends its side then. */
  readonly ends?: true;
  readonly told: string;
  readonly keeper: readonly string[];
}

const SPARE = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const ANSWERS: readonly AnswerCase[] = [
  {
    name: "a length",
    bytes: OK,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  { name: "no body", bytes: SPARE, told: "head HTTP/1.1 200 length 0; last | ", keeper: ["ready"] },
  {
    name: "chunks, with an extension that goes nowhere",
    bytes:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
    told: "head HTTP/1.1 200; data; last | ok!",
    keeper: ["ready"],
  },
  {
    name: "trailers",
    bytes:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: b\r\nc: d\r\n\r\n",
    told: "head HTTP/1.1 200; data; trailers a=b c=d | ok",
    keeper: ["ready"],
  },
  {
    name: "interim answers",
    bytes: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`,
    told: "interim 100; interim 103 link=</a>; head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "to a HEAD there is no body",
    parts: { method: "HEAD" },
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    told: "head HTTP/1.1 200 length 2; last | ",
    keeper: ["ready"],
  },
  {
    name: "204",
    bytes: "HTTP/1.1 204 No Content\r\n\r\n",
    told: "head HTTP/1.1 204; last | ",
    keeper: ["ready"],
  },
  {
    name: "304 with the length of what is not there",
    bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    told: "head HTTP/1.1 304 length 5; last | ",
    keeper: ["ready"],
  },
  {
    name: "until the end",
    bytes: "HTTP/1.1 200 OK\r\n\r\nall",
    ends: true,
    told: "head HTTP/1.1 200; data; last | all",
    keeper: ["closed"],
  },
  {
    name: "the callee closes after it",
    bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "HTTP/1.0 keeps nothing alive unless it says so",
    bytes: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.0 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "HTTP/1.0 with keep-alive",
    bytes: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.0 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "a byte too many ends the connection",
    bytes: `${OK}x`,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "a second answer reaches nobody",
    bytes: `${SPARE}${SPARE}`,
    told: "head HTTP/1.1 200 length 0; last | ",
    keeper: ["closed"],
  },
  {
    name: "a blank line behind an answer ends the connection",
    bytes: `${OK}\r\n`,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  { name: "nothing", bytes: "", ends: true, told: "aborted closed | ", keeper: ["closed"] },
  {
    name: "half a head",
    bytes: "HTTP/1.1 200 OK\r\nCont",
    ends: true,
    told: "aborted closed | ",
    keeper: ["closed"],
  },
  {
    name: "half a body",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal",
    ends: true,
    told: "head HTTP/1.1 200 length 5; data; aborted closed | hal",
    keeper: ["closed"],
  },
  {
    name: "chunks without a last one",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ends: true,
    told: "head HTTP/1.1 200; data; aborted closed | ok",
    keeper: ["closed"],
  },
  {
    name: "no HTTP",
    bytes: "SSH-2.0-OpenSSH_9.2\r\n",
    told: "aborted http1.invalid_status_line | ",
    keeper: ["closed"],
  },
  {
    name: "two lengths",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    told: "aborted http1.several_content_lengths | ",
    keeper: ["closed"],
  },
  {
    name: "a malformed chunk, late",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
    told: "head HTTP/1.1 200; data; aborted http1.invalid_chunk_size | ok",
    keeper: ["closed"],
  },
  {
    name: "a trailer that says where the message goes",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nhost: a\r\n\r\n",
    told: "head HTTP/1.1 200; data; aborted http1.forbidden_trailer | ok",
    keeper: ["closed"],
  },
  {
    name: "a switch nobody asked for",
    bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    told: "aborted http1.unexpected_switch | ",
    keeper: ["closed"],
  },
  {
    name: "a switch to what nobody asked for",
    parts: { upgrade: "websocket" },
    bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    told: "aborted http1.unexpected_switch | ",
    keeper: ["closed"],
  },
  {
    name: "interim answers without end",
    bytes: "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17),
    told: `${"interim 103; ".repeat(16)}aborted http1.too_many_interim_answers | `,
    keeper: ["closed"],
  },
  {
    name: "a refused upgrade is an answer as any other",
    parts: { upgrade: "websocket" },
    bytes: OK,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "a granted upgrade",
    parts: { upgrade: "websocket" },
    bytes:
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ends: true,
    told: "head HTTP/1.1 101 switch; data; last | HTTP/1.1 200 OK\r\n\r\n",
    keeper: [],
  },
  {
    name: "a tunnel",
    parts: { method: "CONNECT", path: "", authority: "a:1", upgrade: "tunnel" },
    bytes: "HTTP/1.1 200 OK\r\n\r\nbytes",
    ends: true,
    told: "head HTTP/1.1 200 switch; data; last | bytes",
    keeper: [],
  },
];

for (const { name, parts, bytes, ends, told, keeper } of ANSWERS) {
  test(`read: ${name}`, async () => {
    const { connection, callee, keeper: heard } = await stage();
    const answer = send(connection, parts);
    await nextTurn();
    callee.write(bytes, "latin1");
    if (ends) callee.end();
    await answer.done;
    assert.equal(answer.summary, told);
    if (keeper[0] === "closed") await eventually("the end", () => heard.calls.includes("closed"));
    assert.deepEqual(heard.calls, keeper);
  });
}

test("law: however an answer is cut, the same is told", async () => {
  const cases = fc.constantFrom(...ANSWERS);
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cases, cuts, async ({ parts, bytes, ends, told }, places) => {
      const { connection, callee } = await stage();
      const answer = send(connection, parts);
      await nextTurn();
      const whole = Buffer.from(bytes, "latin1");
      let from = 0;
      for (const cut of [...places.sort((a, b) => a - b), whole.length]) {
        const to = Math.min(cut, whole.length);
        // Memory that is lent is somebody else's a moment later.
        const lent = Buffer.from(whole.subarray(from, to));
        if (to > from) connection.received(lent, 0, lent.length);
        lent.fill(88);
        from = to;
      }
      if (ends) connection.ended();
      assert.equal(answer.summary, told);
      callee.destroy();
      connection.abandon();
    }),
    { numRuns: 200 },
  );
});
