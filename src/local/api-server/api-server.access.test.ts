/** Who is let in, through real TLS. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { apiServerStage, type StageCall } from "../../../test/kit/api-server-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { newAccessToken } from "./access/access-token.ts";

const refused: [what: string, headers: NonNullable<StageCall["headers"]>, status: number][] = [
  ["no token", { authorization: undefined }, 401],
  ["another token", { authorization: `Bearer ${newAccessToken()}` }, 401],
  ["an empty token", { authorization: "Bearer " }, 401],
  ["a password", { authorization: "Basic YTpi" }, 401],
  ["another name that leads here", { host: "evil.example" }, 403],
  ["another name, on our port", { host: "evil.example:443" }, 403],
  ["our name, as a part of another", { host: "localhost.evil.example" }, 403],
  ["our address, on another port", { host: "127.0.0.1:1" }, 403],
  ["a page in a browser", { origin: "https://evil.example" }, 403],
  ["a page that hides where it is from", { origin: "null" }, 403],
  ["a browser without a page", { "sec-fetch-site": "none" }, 403],
];
for (const [what, headers, status] of refused) {
  test(`${what} is answered ${status}, and nothing else`, async (context) => {
    const { ask } = await apiServerStage(context);
    for (const path of ["/api/v1/namespaces", "/version", "/openapi/v3", "/healthz", "/"]) {
      const answer = await ask(path, { headers });
      assert.equal(answer.status, status, path);
      assert.equal(answer.body["kind"], "Status");
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
      assert.equal(answer.headers["connection"], "close");
    }
  });
}

test("whether it is ready may be asked by anybody, but by no other name and no page", async (context) => {
  const { ask } = await apiServerStage(context);
  const anonymous = { authorization: undefined };
  assert.equal((await ask("/readyz", { headers: anonymous })).text, "ok");
  assert.equal((await ask("/readyz/", { headers: anonymous })).status, 200);
  assert.equal((await ask("/readyz/x", { headers: anonymous })).status, 401);
  assert.equal((await ask("/readyz", { method: "POST", headers: anonymous })).status, 401);
  const elsewhere = { ...anonymous, host: "evil.example" };
  assert.equal((await ask("/readyz", { headers: elsewhere })).status, 403);
});

const hosts = (port: number) => [
  `127.0.0.1:${port}`,
  `localhost:${port}`,
  `LOCALHOST:${port}`,
  `[::1]:${port}`,
  "kubernetes.default.svc",
];
test("it answers by all of its names, and never says that others may read", async (context) => {
  const { ask, server } = await apiServerStage(context);
  for (const host of hosts(server.port)) {
    const answer = await ask("/version", { headers: { host } });
    assert.equal(answer.status, 200, host);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
  }
  const preflight = await ask("/version", { method: "OPTIONS", headers: { origin: "https://a" } });
  assert.equal(preflight.status, 403);
});

test("its certificate is of an authority of its own, for the loopback alone", async (context) => {
  const { certificate, server, token } = await apiServerStage(context);
  const own = new X509Certificate(certificate.certificatePem);
  const authority = new X509Certificate(certificate.authorityPem);
  assert.ok(own.verify(authority.publicKey) && own.checkIssued(authority));
  for (const name of ["localhost", "kubernetes.default.svc"])
    assert.equal(own.checkHost(name), name);
  for (const address of ["127.0.0.1", "::1"]) assert.ok(own.checkIP(address) !== undefined);
  assert.equal(own.checkHost("example.com"), undefined);
  assert.equal(own.ca, false);
  const untrusting = request(`${server.url}/readyz`, {
    headers: { authorization: `Bearer ${token}` },
  });
  untrusting.end();
  const [error] = await once(untrusting, "error");
  assert.match(String(error.code), /SELF_SIGNED|UNABLE_TO_VERIFY/);
});

test("strangers push out one another, and no client's watch", async (context) => {
  const { server, follow, ask } = await apiServerStage(context);
  const watch = await follow("/api/v1/namespaces?watch=true");
  await eventually("the watch to begin", () => watch.events.length === 2);
  const strangers = Array.from({ length: 100 }, () => connect(server.port, "127.0.0.1"));
  for (const stranger of strangers) stranger.on("error", () => {});
  context.after(() => strangers.forEach((stranger) => void stranger.destroy()));
  await eventually(
    "the first strangers to be shown out",
    () => strangers.filter(({ readyState }) => readyState === "closed").length >= 30,
  );
  assert.equal((await ask("/version")).status, 200);
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } };
  assert.equal((await ask("/api/v1/namespaces", { method: "POST", body })).status, 201);
  await eventually("the watch to go on", () => watch.events.length === 3);
});

test("what is no HTTP, or too much of it, is refused", async (context) => {
  const { server, certificate, ask, token } = await apiServerStage(context);
  const say = async (text: string): Promise<string> => {
    const socket = connectTls({
      port: server.port,
      host: "127.0.0.1",
      ca: certificate.authorityPem,
    });
    await once(socket, "secureConnect");
    let heard = "";
    socket.on("data", (part) => {
      heard += part;
    });
    socket.on("error", () => {});
    socket.write(text);
    await once(socket, "close");
    return heard;
  };
  assert.match(await say("hello\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(await say(`GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(
    await say(
      `GET http://evil.example/version HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
    ),
    /^HTTP\/1\.1 400 /,
  );
  assert.match(
    await say("GET /version HTTP/1.0\r\nconnection: close\r\n\r\n"),
    /^HTTP\/1\.1 403 /,
    "nobody is let in without saying whom he means",
  );
  assert.equal((await ask("/api/%zz")).status, 400);
  assert.equal((await ask(`/${"a/".repeat(40)}`)).status, 400);
});

test("a body has a limit, whether or not it says how long it is", async (context) => {
  const { ask } = await apiServerStage(context);
  const metadata = { name: "large" };
  const body = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { a: "x".repeat(4_000_000) },
  };
  const path = "/api/v1/namespaces/default/configmaps";
  const told = await ask(path, { method: "POST", body });
  assert.equal(told.status, 413);
  assert.equal(told.body["reason"], "RequestEntityTooLarge");
  const chunked = { "content-length": undefined, "transfer-encoding": "chunked" };
  assert.equal((await ask(path, { method: "POST", body, headers: chunked })).status, 413);
});

test("it ends with all that is open", async (context) => {
  const { server, follow } = await apiServerStage(context);
  const watch = await follow("/api/v1/namespaces?watch=true");
  const idle = connect(server.port, "127.0.0.1");
  idle.on("error", () => {});
  await once(idle, "connect");
  await server.close();
  await watch.ended;
});

test("nobody has it sign again on a connection", async (context) => {
  const { server, certificate } = await apiServerStage(context);
  const socket = connectTls({
    port: server.port,
    host: "127.0.0.1",
    ca: certificate.authorityPem,
    maxVersion: "TLSv1.2", // the later one has no renegotiation
  });
  context.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.renegotiate({}, () => {});
  const [error] = await once(socket, "error");
  assert.match(String(error.code), /NO_RENEGOTIATION/);
});
