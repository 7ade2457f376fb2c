/** What a callee of HTTP/1 reads of a request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { http1Callee, OK, send } from "../../../test/kit/http1-callee.ts";
import type { RequestParts } from "../../../test/kit/recorded-answer.ts";
import { HeldFields } from "./held-fields.ts";

const stage = http1Callee();

const HEADS: readonly { name: string; parts: RequestParts; body?: string[]; sent: string }[] = [
  {
    name: "a GET",
    parts: { path: "/a?b" },
    sent: "GET /a?b HTTP/1.1\r\nHost: callee.test\r\n\r\n",
  },
  {
    name: "fields as they came, but for ours",
    parts: {
      fields: {
        "X-Name": "value",
        host: "other",
        te: "trailers",
        expect: "100-continue",
        connection: "close",
        upgrade: "h2c",
        "content-length": "7",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        accept: "*/*",
      },
    },
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nX-Name: value\r\naccept: */*\r\n\r\n",
  },
  {
    name: "a POST without a body says so (RFC 9110 section 8.6)",
    parts: { method: "POST" },
    sent: "POST / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "a length without a body is none",
    parts: { method: "POST", contentLength: 5 },
    sent: "POST / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "a body of known length",
    parts: { method: "PUT", contentLength: 5 },
    body: ["he", "llo"],
    sent: "PUT / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 5\r\n\r\nhello",
  },
  {
    name: "a body of unknown length in chunks",
    parts: { method: "PUT" },
    body: ["he", "", "l".repeat(26)],
    sent: `PUT / HTTP/1.1\r\nHost: callee.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n1a\r\n${"l".repeat(26)}\r\n0\r\n\r\n`,
  },
  {
    name: "a body of no octets after all",
    parts: { method: "GET" },
    body: [""],
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  },
  {
    name: "an asterisk",
    parts: { method: "OPTIONS", path: "*" },
    sent: "OPTIONS * HTTP/1.1\r\nHost: callee.test\r\n\r\n",
  },
  {
    name: "an upgrade",
    parts: { upgrade: "websocket", fields: { "sec-websocket-key": "k" } },
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nsec-websocket-key: k\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  },
  {
    name: "a tunnel",
    parts: { method: "CONNECT", path: "", authority: "db.test:5432", upgrade: "tunnel" },
    sent: "CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n",
  },
];

for (const { name, parts, body, sent } of HEADS) {
  test(`written: ${name}`, async () => {
    const { connection, read } = await stage();
    send(connection, parts, body ? { body: body.map((piece) => Buffer.from(piece)) } : {});
    await eventually("the request", () => read().length >= sent.length);
    assert.equal(read(), sent);
  });
}

test("written: trailers, but for those that no reader takes; cookies as one field (RFC 9113 section 8.2.3)", async () => {
  const { connection, read } = await stage();
  const fields = HeldFields.borrow();
  for (const [name, value] of [
    ["cookie", "a=1"],
    ["b", "2"],
    ["cookie", "c=3"],
    ["cookie", "d=4"],
  ]) {
    fields.add(name ?? "", value ?? "");
  }
  const trailers = { "grpc-status": "0", "x-forwarded-for": "1.2.3.4", "content-length": "9" };
  send(connection, { fields }, { body: [Buffer.from("x")], trailers });
  const sent =
    "cookie: a=1; c=3; d=4\r\nb: 2\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\ngrpc-status: 0\r\n\r\n";
  await eventually("the request", () => read().endsWith("\r\n\r\n") && read().includes("grpc"));
  assert.equal(read(), `GET / HTTP/1.1\r\nHost: callee.test\r\n${sent}`);
});

test("written: a head longer than a batch has room for", async () => {
  const { connection, read, callee } = await stage();
  const value = "v".repeat(60_000);
  const answer = send(connection, { fields: { long: value, longer: value } });
  await eventually("the request", () => read().endsWith("\r\n\r\n"));
  assert.equal(
    read(),
    `GET / HTTP/1.1\r\nHost: callee.test\r\nlong: ${value}\r\nlonger: ${value}\r\n\r\n`,
  );
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
});

test("a request that could end a line is not sent, and the connection is as it was", async () => {
  const { connection, read, callee } = await stage();
  for (const parts of [
    { path: "/a b" },
    { path: "/\r\nX: y" },
    { authority: "a\r\nX: y" },
    { path: "" },
    { method: "G T" },
    { method: "" },
  ]) {
    const answer = await send(connection, parts).done;
    assert.deepEqual(answer.calls, ["failed"]);
  }
  assert.equal(connection.mayServe, true);
  const answer = send(connection);
  await eventually("the request", () => read() !== "");
  callee.write(OK);
  await answer.done;
  assert.equal(read(), "GET / HTTP/1.1\r\nHost: callee.test\r\n\r\n");
});
