/** External authorizers, through a real sidecar: a real server of gRPC, and one of HTTP, are asked before the application hears. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  behindSidecar,
  call,
  callerOf,
  closeStages,
  custom,
  grpc,
  stage,
} from "../../../test/kit/authorizer-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { allowing, denying, grpcAuthorizer } from "../../../test/kit/grpc-authorizer.ts";
import { LOOPBACK, policy } from "../../../test/kit/sidecar-fixture.ts";

after(closeStages);

test("EA-20..EA-24: what a gRPC authorizer is told", async (context) => {
  const opa = await grpcAuthorizer(context);
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  const headers = {
    Host: "shop.example:8080",
    "X-Role": ["admin", "user"],
    "x-latin": Buffer.from("caf\u00e9", "latin1").toString("latin1"),
    connection: "x-secret, close",
    "x-secret": "1",
    "x-envoy-auth-partial-body": "true",
  };
  const reply = await call(one, { path: "/api//a?b=c%20d", headers, method: "DELETE" });
  assert.equal(reply.status, 200);
  const [asked] = opa.questions;
  assert.ok(asked?.request?.http);
  const { http, time } = asked.request;
  assert.deepEqual(asked.source.address.socket_address.address, LOOPBACK);
  assert.ok(asked.source.address.socket_address.port_value > 1_023);
  assert.equal(asked.destination.address.socket_address.port_value, 8080);
  assert.deepEqual([asked.source.principal, asked.destination.principal], ["", ""]);
  assert.ok(Math.abs(Date.now() / 1_000 - time.seconds) < 10);
  assert.match(http.id, /^\d+$/);
  const { id: _, headers: told, raw_body: raw, header_map: __, ...rest } = http;
  assert.deepEqual(rest, {
    method: "DELETE",
    path: "/api//a?b=c%20d",
    host: "shop.example:8080",
    scheme: "http",
    query: "",
    fragment: "",
    size: 0,
    protocol: "HTTP/1.1",
    body: "",
  });
  assert.equal(raw.length, 0);
  const { "x-request-id": requestId, ...others } = told;
  assert.match(requestId ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(others, {
    ":authority": "shop.example:8080",
    ":method": "DELETE",
    ":path": "/api//a?b=c%20d",
    ":scheme": "http",
    "x-role": "admin,user",
    "x-latin": "caf!",
    "x-forwarded-proto": "http",
  });
  assert.deepEqual(
    [asked.metadata_context, asked.context_extensions],
    [{ filter_metadata: {}, typed_filter_metadata: {} }, {}],
  );
});

test("EA-20a, EA-20b, EA-21: over mutual TLS it is told who both ends are", async (context) => {
  const opa = await grpcAuthorizer(context);
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  const headers = { "x-envoy-downstream-service-cluster": "web.shop" };
  assert.equal((await call(await callerOf(one), { headers })).status, 200);
  const [asked] = opa.questions;
  assert.equal(asked?.source.principal, "spiffe://cluster.local/ns/production/sa/web");
  assert.equal(asked?.source.service, "web.shop");
  assert.equal(asked?.destination.principal, "spiffe://cluster.local/ns/production/sa/api");
  assert.equal(asked?.destination.service, "");
  // As the request came to the caller's sidecar.
  const http = asked?.request?.http;
  assert.deepEqual(
    [http?.scheme, http?.headers[":scheme"], http?.protocol],
    ["http", "http", "HTTP/1.1"],
  );
  assert.match(http?.headers["x-forwarded-client-cert"] ?? "", /URI=spiffe:.*\/sa\/web/);
});

test("AP-2, AP-3, JWT-74: it is asked before tokens are looked at, and hears nothing said in the mesh's name", async (context) => {
  const opa = await grpcAuthorizer(context, allowing({ headers_to_remove: ["authorization"] }));
  const rule = {
    ref: { kind: "RequestAuthentication", namespace: "production", name: "users" },
    source: { file: "tokens.yaml", line: 1 },
    issuer: "https://issuer.example",
    audiences: [],
    jwks: '{"keys":[]}',
    locations: { headers: [{ name: "Authorization", prefix: "Bearer " }], params: [], cookies: [] },
    presence: "OPTIONAL",
    afterwards: "removed",
    outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
    spaceDelimitedClaims: [],
  } as const;
  const one = await stage({
    authorizers: [grpc("opa")],
    ports: { opa: opa.port },
    tokenRules: [rule],
  });
  const headers = { authorization: "Bearer a.b.c", "x-sub": "mallory" };
  const reply = await call(one, { headers });
  assert.equal(reply.status, 200);
  const told = opa.questions[0]?.request?.http?.headers;
  assert.deepEqual([told?.["authorization"], told?.["x-sub"]], ["Bearer a.b.c", undefined]);
  opa.answer = allowing();
  const refused = await call(one, { headers });
  assert.equal(refused.status, 401);
  const entry = await one.entry(({ response_code }) => response_code === 401);
  assert.equal(entry.decision?.asked?.[0]?.outcome, "allowed");
});

test("AP-1, EA-27: a denial ends the request with the authorizer's own words", async (context) => {
  const opa = await grpcAuthorizer(
    context,
    denying({
      status: { code: "Unauthorized" },
      body: "log in first \u2713",
      headers: [
        { header: { key: "X-Reason", value: "no session" } },
        { header: { key: "Set-Cookie", value: "a=1" } },
        { header: { key: "Set-Cookie", value: "b=2" } },
        { header: { key: "Content-Length", value: "3" } },
        { header: { key: "Transfer-Encoding", value: "chunked" } },
        { header: { key: ":status", value: "200" } },
      ],
    }),
  );
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  const reply = await call(one);
  assert.deepEqual([reply.status, reply.text], [401, "log in first \u2713"]);
  assert.equal(reply.headers["x-reason"], "no session");
  assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
  assert.equal(reply.headers["content-type"], "text/plain");
  assert.equal(one.reached(), 0);
  const entry = await one.entry(({ response_code }) => response_code === 401);
  assert.deepEqual(
    [entry.response_flags, entry.response_code_details],
    ["UAEX", "ext_authz_denied"],
  );
  const { verdict, reason, asked } = entry.decision ?? {};
  assert.equal(verdict, "deny");
  assert.ok(reason?.because === "authorizer-denied" && reason.provider === "opa");
  assert.deepEqual(
    asked?.map(({ milliseconds: _, ...answer }) => answer),
    [{ provider: "opa", outcome: "denied", status: 401 }],
  );
});

test("EA-27: a denial without a status is 403, and so is one that HTTP has no answer for", async (context) => {
  const opa = await grpcAuthorizer(context, denying());
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  assert.equal((await call(one)).status, 403);
  opa.answer = denying({ status: { code: 0 }, body: "x" });
  assert.equal((await call(one)).status, 403);
  opa.answer = denying({ status: { code: 100 } });
  assert.equal((await call(one)).status, 403);
});

test("AP-130: a client of gRPC is told in its own way", async (context) => {
  const opa = await grpcAuthorizer(context, denying({ body: "no" }));
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  const reply = await call(one, {
    method: "POST",
    headers: { "content-type": "application/grpc" },
  });
  assert.equal(reply.status, 200);
  assert.deepEqual([reply.headers["grpc-status"], reply.headers["grpc-message"]], ["7", "no"]);
});

test("only what a CUSTOM rule matches is asked about, and DENY and ALLOW count all the same (AP-126)", async (context) => {
  const opa = await grpcAuthorizer(context);
  const deny = policy("DENY", "no-delete", { to: [{ methods: ["DELETE"] }] });
  const policies = [custom("opa"), deny];
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port }, policies });
  assert.equal((await call(one, { path: "/public" })).status, 200);
  assert.equal(opa.questions.length, 0);
  const refused = await call(one, { method: "DELETE" });
  assert.deepEqual([refused.status, refused.text], [403, "RBAC: access denied"]);
  assert.equal(opa.questions.length, 1);
  const entry = await one.entry(({ response_code }) => response_code === 403);
  assert.equal(entry.decision?.reason.because, "matched-deny");
  assert.equal(entry.decision?.asked?.[0]?.outcome, "allowed");
});

test("EA-28, EA-13, QK-74: what an authorizer changes; its headers win over the client's, and break nothing", async (context) => {
  const value = (key: string, text: string, more: object = {}) => ({
    header: { key, value: text },
    ...more,
  });
  const opa = await grpcAuthorizer(
    context,
    allowing({
      headers: [
        value("x-user", "alice"),
        value("x-groups", "b", { append: { value: true } }),
        value("x-new", "n", { append: { value: true } }),
        value("x-absent", "a", { append_action: "ADD_IF_ABSENT" }),
        value("x-present", "a", { append_action: "ADD_IF_ABSENT" }),
        value("x-over", "o", { append_action: "OVERWRITE_IF_EXISTS" }),
        value("Host", "evil"),
        value(":path", "/evil"),
        value("content-length", "999"),
        value("transfer-encoding", "chunked"),
        value("connection", "close"),
        value("x-forwarded-client-cert", "URI=spiffe://evil"),
        value("x-envoy-external-address", "1.1.1.1"),
      ],
      headers_to_remove: ["X-Secret", "host", ":method", "content-length"],
      query_parameters_to_set: [{ key: "user", value: "al&ce" }],
      query_parameters_to_remove: ["token"],
      response_headers_to_add: [value("x-decided-by", "opa"), value("content-length", "1")],
      dynamic_metadata: { fields: { tier: { stringValue: "gold" }, n: { numberValue: 3 } } },
    }),
  );
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  const reply = await call(one, {
    path: "/api/x?a=1&tok%65n=t&user=bob&b",
    method: "POST",
    body: "hello",
    headers: { "x-user": ["mallory", "eve"], "x-groups": "a", "x-secret": "s", "x-present": "p" },
  });
  assert.equal(reply.status, 200);
  const { url, headers, body } = reply.seen();
  assert.equal(url, "/api/x?a=1&b&user=al%26ce");
  assert.equal(body, "hello");
  assert.deepEqual(
    ["x-user", "x-groups", "x-new", "x-absent", "x-present", "x-over", "x-secret"].map(
      (name) => headers[name],
    ),
    ["alice", "a,b", "n", "a", "p", undefined, undefined],
  );
  assert.equal(headers.host, `${LOOPBACK}:${one.port}`);
  assert.equal(headers["content-length"], "5");
  assert.equal(headers["x-forwarded-client-cert"], undefined);
  assert.equal(headers["x-envoy-external-address"], undefined);
  assert.equal(reply.headers["x-decided-by"], "opa");
  assert.equal(reply.headers["x-application"], "1");
  const entry = await one.entry(({ response_code }) => response_code === 200);
  assert.deepEqual(entry.decision?.asked?.[0]?.metadata, '{"tier":"gold","n":3}');
});

test("policies see what the authorizer has made of the request", async (context) => {
  const opa = await grpcAuthorizer(
    context,
    allowing({ headers: [{ header: { key: "x-tier", value: "gold" } }] }),
  );
  const allow = policy("ALLOW", "gold", {
    when: [{ key: "request.headers[x-tier]", values: ["gold"], notValues: [] }],
  });
  const policies = [custom("opa"), allow];
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port }, policies });
  assert.equal((await call(one)).status, 200);
  assert.equal((await call(one, { path: "/public" })).status, 403);
});

const unsendable: [what: string, ok: Record<string, unknown>][] = [
  ["a header name that is none", { headers: [{ header: { key: "x y", value: "1" } }] }],
  ["a header with a line end", { headers: [{ header: { key: "x", value: "1\r\nx-evil: 1" } }] }],
  [
    "more headers than fit",
    { headers: Array.from({ length: 65 }, (_, n) => ({ header: { key: `x-${n}`, value: "1" } })) },
  ],
  ["one that is too long", { headers: [{ header: { key: "x", value: "1".repeat(62_000) } }] }],
  [
    "a bad header of the answer",
    { response_headers_to_add: [{ header: { key: "x\n", value: "1" } }] },
  ],
];

for (const [what, ok] of unsendable) {
  test(`EA-26: an answer with ${what} lets nobody pass`, async (context) => {
    const opa = await grpcAuthorizer(context, allowing(ok));
    const one = await stage({
      authorizers: [grpc("opa", { statusOnError: 503 })],
      ports: { opa: opa.port },
    });
    const reply = await call(one);
    assert.deepEqual([reply.status, reply.text, one.reached()], [503, "", 0]);
  });
}

test("EA-26: no room left for its headers: nobody passes, not even with failOpen", async (context) => {
  const headers = Array.from({ length: 64 }, (_, n) => ({ header: { key: `x-${n}`, value: "1" } }));
  const opa = await grpcAuthorizer(context, allowing({ headers }));
  const settings = grpc("opa", { failOpen: true });
  const one = await stage({ authorizers: [settings], ports: { opa: opa.port } });
  const many = Object.fromEntries(Array.from({ length: 97 }, (_, n) => [`y-${n}`, "1"]));
  const reply = await call(one, { headers: many });
  assert.deepEqual([reply.status, one.reached()], [403, 0]);
  assert.equal((await call(one)).status, 200);
});

const errors: [what: string, answer: number | "never"][] = [
  ["it is unavailable", 14],
  ["it answers too late", "never"],
];

for (const [what, answer] of errors) {
  test(`EA-26, EA-4, EA-5: ${what}`, async (context) => {
    const opa = await grpcAuthorizer(context, answer);
    const closed = grpc("opa", { timeoutMs: 100, statusOnError: 500 });
    const one = await stage({ authorizers: [closed], ports: { opa: opa.port } });
    const reply = await call(one);
    assert.deepEqual([reply.status, reply.text, one.reached()], [500, "", 0]);
    const entry = await one.entry(({ response_code }) => response_code === 500);
    assert.deepEqual(
      [entry.response_flags, entry.response_code_details],
      ["UAEX", "ext_authz_error"],
    );
    assert.equal(entry.decision?.reason.because, "authorizer-failed");
    const open = { ...closed, failOpen: true };
    one.views.set(one.view({ authorizers: [open] }));
    await eventually("it passes", async () => (await call(one)).status === 200);
    const passed = await one.entry(({ response_code }) => response_code === 200);
    assert.equal(passed.decision?.asked?.[0]?.outcome, "passed unasked");
  });
}

test("AP-122: several authorizers are asked in the order of their names, and all must allow", async (context) => {
  const asked: string[] = [];
  const first = await grpcAuthorizer(context, () => {
    asked.push("a");
    return allowing({ headers: [{ header: { key: "x-a", value: "seen" } }] });
  });
  let said = allowing();
  const second = await grpcAuthorizer(context, ({ request: about }) => {
    asked.push(`b ${about?.http?.headers["x-a"]}`);
    return said;
  });
  const one = await stage({
    authorizers: [grpc("a"), grpc("b")],
    policies: [custom("b"), custom("a")],
    ports: { a: first.port, b: second.port },
  });
  assert.equal((await call(one)).status, 200);
  assert.deepEqual(asked, ["a", "b seen"]);
  said = denying();
  assert.equal((await call(one)).status, 403);
  first.answer = denying();
  assert.equal((await call(one)).status, 403);
  assert.deepEqual(asked.slice(2), ["a", "b seen"]);
  assert.equal(one.reached(), 1);
});

test("an authorizer with a sidecar is asked over mutual TLS, by who we are", async (context) => {
  const opa = await grpcAuthorizer(context);
  const port = await behindSidecar("opa", opa.port);
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: port }, mutualTls: true });
  assert.equal((await call(one)).status, 200);
  assert.equal(opa.questions.length, 1);
  const plain = await stage({ authorizers: [grpc("opa")], ports: { opa: port } });
  assert.equal((await call(plain)).status, 403);
  assert.equal(opa.questions.length, 1);
});

test("metrics tell what each authorizer has answered", async (context) => {
  const opa = await grpcAuthorizer(context);
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  await call(one);
  opa.answer = denying();
  await call(one);
  const page = await (await fetch(`http://${LOOPBACK}:${one.adminPort}/stats/prometheus`)).text();
  for (const outcome of ["allowed", "denied"])
    assert.ok(
      page.includes(
        `hauberk_authorizer_answers_total{provider="opa",outcome="${outcome}",dry_run="false"} 1`,
      ),
      page,
    );
});
