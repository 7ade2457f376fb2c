/** Authorizers that come and go, policies that change while one is asked, traffic that stands, trials: through a real sidecar. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, test } from "node:test";
import {
  call,
  closeStages,
  custom,
  grpc,
  hostOf,
  http,
  stage,
} from "../../../test/kit/authorizer-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { allowing, denying, grpcAuthorizer } from "../../../test/kit/grpc-authorizer.ts";
import { serveHttp1 } from "../../../test/kit/own-calls-stage.ts";
import { LOOPBACK, policy, portOf } from "../../../test/kit/sidecar-fixture.ts";
import type { AppliedAuthorizer } from "../../policy/applied-authorizers.ts";
import type { AppliedPolicy } from "../../policy/workload-view.ts";

after(closeStages);

const body = { maxBytes: 10, allowPartial: false, packAsBytes: false };

test("EA-30, AP-120: who cannot be asked guards what it guards, also with failOpen; it heals when it appears", async (context) => {
  const problem = "its service opa is none of the mesh";
  const one = await stage({ authorizers: [{ name: "opa", kind: "unusable", problem }] });
  assert.equal((await call(one, { path: "/public" })).status, 200);
  const reply = await call(one);
  assert.deepEqual([reply.status, reply.text], [403, "RBAC: access denied"]);
  const entry = await one.entry(({ response_code }) => response_code === 403);
  assert.match(entry.response_code_details ?? "", /-deny-due-to-bad-CUSTOM-action\]$/);
  const opa = await grpcAuthorizer(context);
  one.views.set(one.view({ authorizers: [grpc("opa")], ports: { opa: opa.port } }));
  await eventually("it passes", async () => (await call(one)).status === 200);
});

test("EA-26: it is gone, and comes back: nobody passes meanwhile", async (context) => {
  const opa = await grpcAuthorizer(context);
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port } });
  assert.equal((await call(one)).status, 200);
  opa.stop();
  assert.equal((await call(one)).status, 403);
  assert.equal(one.reached(), 1);
  await opa.start();
  await eventually("it passes", async () => (await call(one)).status === 200);
});

test("a client that leaves is waited for by nobody, and nothing of it reaches the application", async (context) => {
  let left = 0;
  const port = await serveHttp1(context, (incoming) => incoming.socket.on("close", () => left++));
  const one = await stage({ authorizers: [http("opa")], ports: { opa: port } });
  const outgoing = request({ host: LOOPBACK, port: one.port, path: "/api/x", agent: false });
  outgoing.on("error", () => {});
  outgoing.end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  outgoing.destroy();
  await eventually("the question ends", () => left === 1);
  assert.equal(one.reached(), 0);
  const entry = await one.entry();
  assert.equal(entry.response_flags, "DC");
});

test("AP-113: an authorizer on trial is asked, what it says is recorded, and changes nothing", async (context) => {
  const opa = await grpcAuthorizer(context, denying({ status: { code: 401 } }));
  const policies = [custom("opa", { dryRun: true })];
  const one = await stage({ authorizers: [grpc("opa")], ports: { opa: opa.port }, policies });
  await eventually("an answer comes in time", async () => {
    assert.equal((await call(one)).status, 200);
    return one.entries.some(({ decision }) => decision?.dryRun?.verdict === "deny");
  });
  const entry = await one.entry(({ decision }) => decision?.dryRun?.verdict === "deny");
  assert.equal(entry.decision?.verdict, "allow");
  assert.equal(entry.decision?.dryRun?.reason.because, "authorizer-denied");
  const [asked] = entry.decision?.asked ?? [];
  assert.deepEqual([asked?.outcome, asked?.dryRun], ["denied", true]);
  opa.answer = "never";
  const before = Date.now();
  assert.equal((await call(one)).status, 200);
  assert.ok(Date.now() - before < 1_000);
});

test("a policy that comes while an authorizer is asked counts, too", async (context) => {
  let release = (): void => {};
  const opa = await grpcAuthorizer(
    context,
    () =>
      new Promise((resolve) => {
        release = () => resolve(allowing());
      }),
  );
  const other = await grpcAuthorizer(context);
  const ports = { opa: opa.port, other: other.port };
  const one = await stage({ authorizers: [grpc("opa")], ports });
  const changes: [
    what: string,
    authorizers: AppliedAuthorizer[],
    policies: AppliedPolicy[],
    status: number,
  ][] = [
    [
      "the same",
      [grpc("opa")],
      [custom("opa"), policy("DENY", "x", { to: [{ methods: ["PUT"] }] })],
      200,
    ],
    ["a DENY", [grpc("opa")], [custom("opa"), policy("DENY", "all", {})], 403],
    [
      "another authorizer by that name",
      [grpc("opa", { port: 8080, host: hostOf("other") })],
      [custom("opa")],
      403,
    ],
    ["one more", [grpc("opa"), grpc("other")], [custom("opa"), custom("other")], 403],
    ["nobody any more", [], [], 200],
  ];
  for (const [what, authorizers, policies, status] of changes) {
    one.views.set(one.view({ authorizers: [grpc("opa")], policies: [custom("opa")] }));
    const count = opa.questions.length;
    const pending = call(one);
    await eventually("it is asked", () => opa.questions.length === count + 1);
    one.views.set(one.view({ authorizers, policies }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    assert.equal((await pending).status, status, what);
  }
});

test("a WebSocket that stands is judged by policy anew, and not asked about again", async (context) => {
  const server = createServer();
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    context.after(() => socket.destroy());
  });
  context.after(() => server.close());
  await once(server.listen(0, LOOPBACK), "listening");
  const opa = await grpcAuthorizer(context);
  const requestBody = { ...body, maxBytes: 100 };
  const options = {
    authorizers: [grpc("opa", { requestBody })],
    ports: { opa: opa.port },
    application: portOf(server),
  };
  const one = await stage(options);
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  const outgoing = request({ host: LOOPBACK, port: one.port, path: "/api/x", headers });
  outgoing.end();
  const [, socket] = await once(outgoing, "upgrade");
  let isOpen = true;
  socket.on("close", () => {
    isOpen = false;
  });
  const more = [custom("opa"), policy("ALLOW", "all", {})];
  const later = [grpc("opa", { requestBody, timeoutMs: 7, failOpen: true, statusOnError: 500 })];
  one.views.set(one.view({ ...options, authorizers: later, policies: more }));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(isOpen);
  one.views.set(one.view({ ...options, authorizers: [grpc("opa")] }));
  await eventually("it is ended", () => !isOpen);
  assert.equal(opa.questions.length, 1);
});

test("of many requests at a time, answered in any order and way, exactly those that are allowed reach the application", async (context) => {
  const ways = ["allow", "deny", "fail", "nonsense", "late"] as const;
  const opa = await grpcAuthorizer(context, async ({ request: about }) => {
    const [way = "", , pause = ""] = (about?.http?.headers["x-way"] ?? "").split("-");
    await new Promise((resolve) => setTimeout(resolve, Number(pause)));
    if (way === "allow") return allowing();
    if (way === "deny") return denying();
    if (way === "nonsense") return allowing({ headers: [{ header: { key: "a b", value: "" } }] });
    return way === "fail" ? 13 : "never";
  });
  const settings = grpc("opa", { timeoutMs: 1_500, statusOnError: 503 });
  const one = await stage({ authorizers: [settings], ports: { opa: opa.port } });
  const statuses = { allow: 200, deny: 403, fail: 503, nonsense: 503, late: 503 };
  const asked = Array.from({ length: 150 }, async (_, index) => {
    const way = ways[index % ways.length] ?? "allow";
    const said = `${way}-${index}-${(index * 7) % 30}`;
    const reply = await call(one, { headers: { "x-way": said } });
    assert.equal(reply.status, statuses[way], said);
    if (way === "allow") assert.equal(reply.seen().headers["x-way"], said);
  });
  await Promise.all(asked);
  assert.equal(one.reached(), 30);
});
