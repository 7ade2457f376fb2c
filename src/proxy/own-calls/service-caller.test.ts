/** A sidecar's own calls, through real sockets to real servers. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { freePort } from "../../../test/kit/free-port.ts";
import { ownCalls, serveHttp1, serveHttp2 } from "../../../test/kit/own-calls-stage.ts";
import { destination, LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { HeldFields } from "../http/held-fields.ts";
import { grpcUnary } from "./grpc-unary.ts";
import { OwnCallError, type OwnRequest } from "./own-call.ts";

const place = { host: "opa.production.svc.cluster.local", port: 8080 };

function to(port: number) {
  return destination({ name: "opa", port, mutualTls: false });
}

function request(changes: Partial<OwnRequest> = {}, fields: Readonly<Record<string, string>> = {}) {
  const held = HeldFields.borrow();
  for (const [name, value] of Object.entries(fields)) held.add(name, value);
  return {
    method: "POST",
    path: "/ask?x=1",
    authority: "opa",
    fields: held,
    framing: "HTTP/1.1",
    timeoutMs: 5_000,
    maxAnswerOctets: 10_000,
    repeat: "harmless",
    ...changes,
  } as const satisfies OwnRequest;
}

function fails(problem: string): (error: unknown) => boolean {
  return (error) => error instanceof OwnCallError && error.problem === problem;
}

test("HTTP/1.1: what is sent, and what comes back", async (context) => {
  const port = await serveHttp1(context, (incoming, reply) => {
    const heard = `${incoming.method} ${incoming.url} ${incoming.headers.host} ${incoming.headers["x-a"]}`;
    reply.writeHead(203, { "x-heard": heard });
    incoming.pipe(reply);
  });
  const caller = ownCalls(context, [to(port)]);
  for (const body of [Buffer.from("hello"), Buffer.alloc(9_000, "x")]) {
    const answer = await caller.call(place, request({ body }, { "x-a": "1" }));
    assert.equal(answer.status, 203);
    assert.equal(answer.fields.get("x-heard"), "POST /ask?x=1 opa 1");
    assert.deepEqual(answer.body, body);
    assert.equal(answer.trailers, undefined);
  }
});

test("a body that goes out only as fast as it is read arrives whole", async (context) => {
  const port = await serveHttp1(context, (incoming, reply) => {
    let octets = 0;
    incoming.on("data", (piece: Buffer) => {
      octets += piece.length;
    });
    incoming.on("end", () => reply.end(String(octets)));
  });
  const caller = ownCalls(context, [to(port)]);
  const { body } = await caller.call(place, request({ body: Buffer.alloc(3_000_000) }));
  assert.equal(String(body), "3000000");
});

test("an answer in single octets takes no more memory than one in a piece", async (context) => {
  const octets = 60_000;
  const port = await serveHttp1(context, (_, reply) => {
    reply.write("x");
    // As many chunks, in few packets: each is told by itself.
    reply.socket?.write("1\r\nx\r\n".repeat(octets - 1));
    reply.end();
  });
  const changes = { maxAnswerOctets: octets };
  const { body } = await ownCalls(context, [to(port)]).call(place, request(changes));
  assert.equal(body.length, octets);
  assert.ok(body.equals(Buffer.alloc(octets, "x")));
  assert.ok(body.buffer.byteLength < 2 * octets);
  const over = ownCalls(context, [to(port)]).call(place, request({ maxAnswerOctets: octets - 1 }));
  await assert.rejects(over, fails("answer-too-large"));
});

test("HTTP/2: no body, trailers", async (context) => {
  const port = await serveHttp2(context, (stream, headers) => {
    stream.respond({ ":status": 200, "x-path": headers[":path"] }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": "last" }));
    stream.end("body");
  });
  const caller = ownCalls(context, [to(port)]);
  const answer = await caller.call(place, request({ framing: "HTTP/2", method: "GET" }));
  assert.equal(answer.fields.get("x-path"), "/ask?x=1");
  assert.equal(String(answer.body), "body");
  assert.equal(answer.trailers?.get("x-trailer"), "last");
});

const unknown: [what: string, place: { host: string; port: number; namespace?: string }][] = [
  ["another host", { ...place, host: "opa" }],
  ["another port", { ...place, port: 1 }],
  ["another namespace", { ...place, namespace: "shop" }],
];
for (const [what, other] of unknown) {
  test(`${what} is no destination (EA-1)`, async (context) => {
    const caller = ownCalls(context, [to(1)]);
    await assert.rejects(caller.call(other, request()), fails("unknown-destination"));
  });
}

test("a destination without endpoints, or none that may be reached", async (context) => {
  const opa = to(1);
  const refusedBy = { direction: "egress", policies: [] } as const;
  const endpoints = opa.endpoints.map((endpoint) => ({ ...endpoint, refusedBy }));
  for (const found of [[], endpoints]) {
    const caller = ownCalls(context, [{ ...opa, endpoints: found }]);
    await assert.rejects(caller.call(place, request()), fails("no-endpoint"));
  }
});

test("nobody listens: it fails at once, or is served by another endpoint", async (context) => {
  const gone = to(await freePort());
  const startedMs = performance.now();
  const caller = ownCalls(context, [gone]);
  await assert.rejects(caller.call(place, request()), fails("connect-failed"));
  assert.ok(performance.now() - startedMs < 450);
  const port = await serveHttp1(context, (_, reply) => reply.end());
  const endpoints = [...gone.endpoints, ...to(port).endpoints];
  const both = ownCalls(context, [{ ...gone, endpoints }]);
  for (let time = 0; time < 4; time++)
    assert.equal((await both.call(place, request())).status, 200);
});

test("an answer that does not come in time, and one that never ends", async (context) => {
  const port = await serveHttp1(context, (incoming, reply) => {
    if (incoming.url === "/begun") reply.write("...");
  });
  const caller = ownCalls(context, [to(port)]);
  for (const path of ["/never", "/begun"])
    await assert.rejects(caller.call(place, request({ path, timeoutMs: 50 })), fails("timeout"));
});

test("an answer longer than allowed is not read to its end", async (context) => {
  const port = await serveHttp1(context, (incoming, reply) => {
    if (incoming.url === "/told") reply.setHeader("content-length", "100");
    reply.end("x".repeat(100));
  });
  const caller = ownCalls(context, [to(port)]);
  for (const path of ["/told", "/chunked"]) {
    const long = request({ path, maxAnswerOctets: 99 });
    await assert.rejects(caller.call(place, long), fails("answer-too-large"));
  }
  const { body } = await caller.call(place, request({ maxAnswerOctets: 100 }));
  assert.equal(body.length, 100);
});

test("nobody waits any more: the callee hears of it", async (context) => {
  const heard = new EventEmitter();
  const port = await serveHttp1(context, (_, reply) => {
    reply.on("close", () => heard.emit("left"));
    heard.emit("came");
  });
  const caller = ownCalls(context, [to(port)]);
  const came = once(heard, "came");
  const call = caller.begin(place, request());
  await came;
  const left = once(heard, "left");
  call.cancel();
  await assert.rejects(call.answer, fails("cancelled"));
  await left;
});

/** Answers the first request of each connection, and ends the connection with the second. */
async function forgetful(context: { after(done: () => void): void }): Promise<number> {
  const server: Server = createServer((socket) => {
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      if (++requests > 1) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
  });
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  return portOf(server);
}

test("a kept connection that turns out to be dead: asked once more where that does no harm", async (context) => {
  const caller = ownCalls(context, [to(await forgetful(context))]);
  const harmless = async () => (await caller.call(place, request())).status;
  assert.deepEqual([await harmless(), await harmless(), await harmless()], [200, 200, 200]);
});

test("and not where it would count twice", async (context) => {
  const caller = ownCalls(context, [to(await forgetful(context))]);
  await caller.call(place, request({ repeat: "never" }));
  await assert.rejects(caller.call(place, request({ repeat: "never" })), fails("broken-off"));
});

const call = {
  path: "/package.Service/Method",
  message: Buffer.from("?????question"),
  timeoutMs: 5_000,
  maxMessageOctets: 1_000,
  repeat: "harmless",
} as const;

/** A message as gRPC frames it. */
function framed(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

test("gRPC: one message there, one back", async (context) => {
  const port = await serveHttp2(context, (stream, headers) => {
    const { ":path": path, "content-type": type, te, "grpc-timeout": timeout } = headers;
    const heard: Buffer[] = [];
    stream.on("data", (piece: Buffer) => heard.push(piece));
    stream.on("end", () => {
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      const said = Buffer.concat(heard).subarray(5);
      stream.end(framed(`${headers[":authority"]} ${path} ${type} ${te} ${timeout} ${said}`));
    });
  });
  const message = await grpcUnary(ownCalls(context, [to(port)]), place, call).answer;
  assert.equal(
    String(message),
    `${place.host} /package.Service/Method application/grpc trailers 5000m question`,
  );
});

const answers: [
  what: string,
  headers: Readonly<Record<string, string | number>>,
  body: Buffer,
  trailers: Readonly<Record<string, string>> | undefined,
  status: number | undefined,
][] = [
  [
    "a status in a head alone",
    { "grpc-status": "14", "grpc-message": "away" },
    Buffer.alloc(0),
    undefined,
    14,
  ],
  ["a status behind a message", {}, framed("x"), { "grpc-status": "7" }, 7],
  ["no status", {}, framed("x"), undefined, undefined],
  ["a status that is none", {}, framed("x"), { "grpc-status": "OK" }, undefined],
  ["status 503 of HTTP", { ":status": 503 }, framed("x"), { "grpc-status": "0" }, undefined],
  ["no message", {}, Buffer.alloc(0), { "grpc-status": "0" }, undefined],
  ["half a message", {}, framed("xy").subarray(0, 6), { "grpc-status": "0" }, undefined],
  [
    "two messages",
    {},
    Buffer.concat([framed("x"), framed("y")]),
    { "grpc-status": "0" },
    undefined,
  ],
  ["a compressed one", {}, Buffer.from([1, 0, 0, 0, 1, 120]), { "grpc-status": "0" }, undefined],
];
for (const [what, headers, body, trailers, status] of answers) {
  test(`gRPC: ${what} is an error`, async (context) => {
    const port = await serveHttp2(context, (stream) => {
      const head = { "content-type": "application/grpc", ...headers };
      if (body.length === 0 && trailers === undefined) {
        stream.respond(head, { endStream: true });
        return;
      }
      stream.respond(head, { waitForTrailers: trailers !== undefined });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
      stream.end(body);
    });
    const { answer } = grpcUnary(ownCalls(context, [to(port)]), place, call);
    await assert.rejects(
      answer,
      (error) => fails("grpc-status")(error) && (error as OwnCallError).grpcStatus === status,
    );
  });
}
