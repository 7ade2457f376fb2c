/** External authorizers that speak plain HTTP, through a real sidecar (EA-10..EA-19). */
import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { after, type TestContext, test } from "node:test";
import { call, closeStages, http, type Stage, stage } from "../../../test/kit/authorizer-stage.ts";
import { serveHttp1 } from "../../../test/kit/own-calls-stage.ts";
import { LOOPBACK } from "../../../test/kit/sidecar-fixture.ts";
import type { AppliedHttpAuthorizer } from "../../policy/applied-authorizers.ts";

after(closeStages);

interface Asked {
  readonly one: Stage;
  readonly questions: { readonly incoming: IncomingMessage; readonly body: string }[];
}

async function asking(
  context: TestContext,
  changes: Partial<AppliedHttpAuthorizer>,
  answer: RequestListener = (_, reply) => reply.end(),
): Promise<Asked> {
  const questions: Asked["questions"] = [];
  const port = await serveHttp1(context, async (incoming, reply: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    questions.push({ incoming, body: Buffer.concat(chunks).toString() });
    answer(incoming, reply as Parameters<RequestListener>[1]);
  });
  const one = await stage({ authorizers: [http("opa", changes)], ports: { opa: port } });
  return { one, questions };
}

test("EA-16, EA-11, EA-12, EA-18, EA-32: what is asked", async (context) => {
  const { one, questions } = await asking(context, {
    pathPrefix: "/check",
    requestHeaders: ["X-Role", "x-pre-*", "*-suf"],
    additionalHeaders: { "X-Who": "sidecar", "x-role": "forced", "Content-Length": "7" },
  });
  const reply = await call(one, {
    path: "/api/x?a=b",
    method: "PUT",
    body: "secret",
    headers: {
      host: "shop.example",
      authorization: "Bearer t",
      "x-role": "admin",
      "X-Pre-1": ["a", "b"],
      "x-suf": "s",
      "x-who": "client",
      cookie: "c=1",
      "x-other": "1",
    },
  });
  assert.equal(reply.status, 200);
  const [asked] = questions;
  assert.deepEqual([asked?.incoming.method, asked?.incoming.url], ["PUT", "/check/api/x?a=b"]);
  assert.equal(asked?.body, "");
  assert.deepEqual(asked?.incoming.headers, {
    host: "shop.example",
    "content-length": "0",
    authorization: "Bearer t",
    "x-role": "forced",
    "x-pre-1": "a,b",
    "x-suf": "s",
    "x-who": "sidecar",
    "x-forwarded-for": LOOPBACK,
    "x-envoy-internal": "true",
  });
});

test("EA-13: on a 200 the headers that are listed go on, over the client's own; others do not", async (context) => {
  const { one } = await asking(
    context,
    {
      headersToUpstreamOnAllow: ["x-user", "x-g-*", "content-length", "host"],
      headersToDownstreamOnAllow: ["set-cookie"],
    },
    (_, reply) => {
      reply.writeHead(200, [
        ...["X-User", "alice", "x-g-1", "one", "x-not", "1", "Set-Cookie", "a=1", "Set-Cookie"],
        ...["b=2", "x-envoy-auth-headers-to-remove", "x-drop, host,:path"],
      ]);
      reply.end("its own body");
    },
  );
  const reply = await call(one, {
    headers: { "x-user": "mallory", "x-not": "client", "x-drop": "1" },
  });
  const { headers } = reply.seen();
  assert.deepEqual(
    ["x-user", "x-g-1", "x-not", "x-drop", "host"].map((name) => headers[name]),
    ["alice", "one", "client", undefined, `${LOOPBACK}:${one.port}`],
  );
  assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
});

test("EA-14, EA-17: any other status denies, with all its headers where no list is given", async (context) => {
  const { one } = await asking(context, {}, (_, reply) => {
    reply.writeHead(302, { location: "/login", "x-a": "1", "content-type": "text/html" });
    reply.end("<a>log in</a>");
  });
  const reply = await call(one);
  assert.deepEqual([reply.status, reply.text], [302, "<a>log in</a>"]);
  assert.deepEqual(
    ["location", "x-a", "content-type", "content-length"].map((name) => reply.headers[name]),
    ["/login", "1", "text/html", "13"],
  );
  assert.equal(one.reached(), 0);
  const entry = await one.entry(({ response_code }) => response_code === 302);
  assert.deepEqual(
    [entry.response_flags, entry.response_code_details],
    ["UAEX", "ext_authz_denied"],
  );
});

test("EA-14: with a list, those of it, and where to go", async (context) => {
  const { one } = await asking(context, { headersToDownstreamOnDeny: ["x-b"] }, (_, reply) => {
    reply.writeHead(401, { location: "/l", "www-authenticate": "Basic", "x-a": "1", "x-b": "2" });
    reply.end();
  });
  const { status, headers } = await call(one);
  assert.equal(status, 401);
  assert.deepEqual(
    ["location", "www-authenticate", "x-a", "x-b"].map((name) => headers[name]),
    ["/l", "Basic", undefined, "2"],
  );
});

const statuses: [status: number, told: number][] = [
  [201, 201],
  [204, 403],
  [304, 403],
  [404, 404],
  [429, 429],
  [500, 403],
  [503, 403],
];
for (const [status, told] of statuses) {
  test(`EA-17: ${status} lets nobody pass`, async (context) => {
    const { one } = await asking(context, {}, (_, reply) => {
      reply.statusCode = status;
      reply.end();
    });
    assert.deepEqual([(await call(one)).status, one.reached()], [told, 0]);
  });
}

test("EA-26: what is no answer, or too long a one, is an error", async (context) => {
  const answers: RequestListener[] = [
    (_, reply) => reply.destroy(),
    (_, reply) => reply.end("x".repeat(1_100_000)),
    (_, reply) => reply.socket?.end("no HTTP\r\n\r\n"),
  ];
  const { one } = await asking(context, { statusOnError: 503 }, (incoming, reply) =>
    answers.shift()?.(incoming, reply),
  );
  for (let time = 0; time < 3; time++) {
    const { status, text } = await call(one, { method: "POST" });
    assert.deepEqual([status, text], [503, ""]);
  }
  assert.equal(one.reached(), 0);
});

test("EA-26: a client with so many headers that the question has no room for them does not pass, not even with failOpen", async (context) => {
  let asked = 0;
  const port = await serveHttp1(context, (_, reply) => {
    asked++;
    reply.writeHead(401).end();
  });
  const additionalHeaders = Object.fromEntries(
    Array.from({ length: 80 }, (_, n) => [`z-${n}`, "1"]),
  );
  const settings = http("opa", { requestHeaders: ["y-*"], additionalHeaders, failOpen: true });
  const one = await stage({ authorizers: [settings], ports: { opa: port } });
  const many = Object.fromEntries(Array.from({ length: 96 }, (_, n) => [`y-${n}`, "1"]));
  assert.equal((await call(one, { headers: many })).status, 403);
  assert.deepEqual([asked, one.reached()], [0, 0]);
  assert.equal((await call(one)).status, 401);
});

test("EA-7..EA-9: the body goes with the question", async (context) => {
  const requestBody = { maxBytes: 4, allowPartial: true, packAsBytes: false };
  const { one, questions } = await asking(context, { requestBody });
  for (const body of ["abc", "abcdef"])
    assert.equal((await call(one, { method: "POST", body })).seen().body, body);
  assert.deepEqual(
    questions.map(({ body, incoming: { headers } }) => [
      body,
      headers["content-length"],
      headers["x-envoy-auth-partial-body"],
    ]),
    [
      ["abc", "3", "false"],
      ["abcd", "4", "true"],
    ],
  );
});

test("a HEAD is asked about as one, and answered without a body", async (context) => {
  const { one, questions } = await asking(context, {}, (_, reply) => {
    reply.statusCode = 403;
    reply.end();
  });
  const reply = await call(one, { method: "HEAD" });
  assert.deepEqual([reply.status, reply.text], [403, ""]);
  assert.equal(questions[0]?.incoming.method, "HEAD");
});
