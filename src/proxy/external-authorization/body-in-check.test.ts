/** Bodies that go with the question, through a real sidecar (EA-7..EA-9). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { call, closeStages, grpc, http, stage } from "../../../test/kit/authorizer-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { grpcAuthorizer } from "../../../test/kit/grpc-authorizer.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { HOLDING_LIMIT } from "../http/holding-limit.ts";

after(closeStages);
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const body = { maxBytes: 10, allowPartial: false, packAsBytes: false };

test("EA-7, QK-75: a body is told whole, or the request refused, also with failOpen", async (context) => {
  const opa = await grpcAuthorizer(context);
  const settings = grpc("opa", { requestBody: body, failOpen: true });
  const one = await stage({ authorizers: [settings], ports: { opa: opa.port } });
  const sent: [string, Record<string, string>, number][] = [
    ["0123456789", {}, 200],
    ["0123456789a", {}, 413],
    ["0123456789a", { "transfer-encoding": "chunked" }, 413],
    ["0123", { "transfer-encoding": "chunked" }, 200],
  ];
  for (const [text, headers, status] of sent) {
    const reply = await call(one, { method: "POST", body: text, headers });
    assert.equal(reply.status, status, `${text} ${JSON.stringify(headers)}`);
    if (status === 200) assert.equal(reply.seen().body, text);
    else assert.equal(reply.text, "Payload Too Large");
  }
  const told = opa.questions.map(({ request: about }) => about?.http);
  assert.deepEqual(
    told.map((one) => [one?.body, one?.size, one?.headers["x-envoy-auth-partial-body"]]),
    [
      ["0123456789", 10, "false"],
      ["0123", 4, "false"],
    ],
  );
  assert.equal(one.reached(), 2);
});

test("EA-8, EA-9: the first octets of a longer body, as bytes; the application gets all", async (context) => {
  const opa = await grpcAuthorizer(context);
  const requestBody = { ...body, allowPartial: true, packAsBytes: true };
  const one = await stage({
    authorizers: [grpc("opa", { requestBody })],
    ports: { opa: opa.port },
  });
  const long = Buffer.alloc(700_000, "x");
  const reply = await call(one, { method: "POST", body: long });
  assert.equal(reply.seen().body.length, long.length);
  const [asked] = opa.questions;
  assert.equal(String(asked?.request?.http?.raw_body), "xxxxxxxxxx");
  assert.equal(asked?.request?.http?.headers["x-envoy-auth-partial-body"], "true");
});

test("EA-7: a large body that is wanted comes whole, at the pace of who reads it", async (context) => {
  const opa = await grpcAuthorizer(context);
  const requestBody = { ...body, maxBytes: 2_000_000 };
  const one = await stage({
    authorizers: [grpc("opa", { requestBody })],
    ports: { opa: opa.port },
  });
  const long = Buffer.alloc(1_500_000, "\u00ff");
  for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
    const reply = await call(one, { method: "POST", body: long, headers });
    assert.equal(reply.seen().body.length, long.length / 2);
  }
  assert.equal(opa.questions[0]?.request?.http?.size, long.length);
});

test("EA-7, EA-8: in whatever pieces a body comes, by HTTP/2 too, the application gets all of it", async (context) => {
  const opa = await grpcAuthorizer(context);
  const requestBody = { maxBytes: 600_000, allowPartial: true, packAsBytes: true };
  const one = await stage({
    authorizers: [grpc("opa", { requestBody })],
    ports: { opa: opa.port },
  });
  const session = connectHttp2(`http://${LOOPBACK}:${one.port}`);
  context.after(() => session.close());
  for (const [pieces, octets] of [
    [1, 1_200_000],
    [1_000, 1],
    [7, 100_000],
    [60, 10_000],
    [0, 0],
  ] as const) {
    const sent = Buffer.alloc(pieces * octets, "ab\u00e9");
    const stream = session.request({ ":method": "POST", ":path": "/api/x" });
    for (let piece = 0; piece < pieces; piece++) {
      stream.write(sent.subarray(piece * octets, (piece + 1) * octets));
      if (piece % 50 === 49) await new Promise(setImmediate);
    }
    stream.end();
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    const { body: seen } = JSON.parse(Buffer.concat(parts).toString());
    assert.equal(seen, sent.toString());
    const http = opa.questions.at(-1)?.request?.http;
    assert.ok(http);
    assert.equal(http.protocol, "HTTP/2");
    assert.deepEqual(http.raw_body, sent.subarray(0, http.size));
    assert.equal(http.size, Math.min(sent.length, 600_000));
    const partial = sent.length === 0 ? undefined : String(sent.length > 600_000);
    assert.equal(http.headers["x-envoy-auth-partial-body"], partial);
  }
});

test("EA-7: nobody hides a body behind the wish for another protocol", async (context) => {
  const opa = await grpcAuthorizer(context);
  const settings = grpc("opa", { requestBody: body });
  const one = await stage({ authorizers: [settings], ports: { opa: opa.port } });
  for (const upgrade of ["websocket", "h2c", "foo"]) {
    const headers = { connection: "upgrade", upgrade };
    assert.equal((await call(one, { method: "POST", headers, body: "evil" })).status, 200);
    assert.equal(opa.questions.at(-1)?.request?.http?.body, "evil", upgrade);
    const long = await call(one, { method: "POST", headers, body: "0123456789a" });
    assert.equal(long.status, 413, upgrade);
  }
});

for (const kind of ["grpc", "http"] as const) {
  test(`what is held for a question over ${kind} is counted, and given back when its client leaves`, async (context) => {
    const connected: Socket[] = [];
    /** Takes the question's beginning, and says nothing. */
    const silent = createServer((socket) => {
      connected.push(socket.pause());
      socket.on("error", () => {});
    });
    silent.listen(0, LOOPBACK);
    await once(silent, "listening");
    context.after(() => {
      for (const socket of connected) socket.destroy();
      silent.close();
    });
    const octets = 12_000_000;
    const requestBody = { maxBytes: octets, allowPartial: false, packAsBytes: kind === "grpc" };
    const settings = { requestBody, timeoutMs: 60_000 };
    const one = await stage({
      authorizers: [kind === "grpc" ? grpc("opa", settings) : http("opa", settings)],
      ports: { opa: portOf(silent) },
    });
    const body = Buffer.alloc(octets, "x");
    const [limitBefore, memoryBefore] = [HOLDING_LIMIT.octets, process.memoryUsage().arrayBuffers];
    const clients = Array.from({ length: 5 }, () => {
      const client = request({ host: LOOPBACK, port: one.port, path: "/api/x", method: "POST" });
      client.on("error", () => {});
      client.end(body);
      return client;
    });
    const held = (): number => HOLDING_LIMIT.octets - limitBefore;
    await eventually(
      () => `the questions: ${held()} octets are counted`,
      () => held() >= 2 * 5 * octets,
    );
    let taken = 0;
    await eventually(
      () => `memory: ${taken} octets taken, ${held()} counted`,
      () => {
        collectGarbage();
        taken = process.memoryUsage().arrayBuffers - memoryBefore;
        return taken < 1.1 * held();
      },
    );
    for (const client of clients) client.destroy();
    await eventually("the end of what was held", () => held() === 0);
  });
}

test("EA-7: a client that waits to be asked for its body is asked", async (context) => {
  const opa = await grpcAuthorizer(context);
  const settings = grpc("opa", { requestBody: body });
  const one = await stage({ authorizers: [settings], ports: { opa: opa.port } });
  const headers = { expect: "100-continue", "content-length": "4" };
  const outgoing = request({
    host: LOOPBACK,
    port: one.port,
    path: "/api/x",
    method: "POST",
    headers,
  });
  let continues = 0;
  outgoing.on("continue", () => {
    continues++;
    outgoing.end("body");
  });
  outgoing.flushHeaders();
  const [answer] = await once(outgoing, "response");
  answer.resume();
  assert.deepEqual([answer.statusCode, continues], [200, 1]);
  assert.equal(opa.questions[0]?.request?.http?.body, "body");
});
