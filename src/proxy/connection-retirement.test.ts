import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { createServer as createEchoServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import type { X509Svid } from "../identity/x509-svid.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();

const brief = (name: string, lifetimeMs: number): X509Svid =>
  mesh.svid(idOf(name), { lifetimeMs, now: new Date() });

async function startApi(svid: X509Svid, answerAfterMs = 0) {
  const application = createServer((incoming, response) => {
    incoming.resume();
    setTimeout(() => response.end("ok"), answerAfterMs);
  });
  await listening(application);
  const port = await freePort();
  const ports = [inboundPort({ listen: port, application: portOf(application) })];
  const api = await start({ view: workloadView({ rootsPem, ports }), svid });
  return { api, port };
}

async function startFrontend(svid: X509Svid, port: number) {
  const listen = await freePort();
  const destinations = [destination({ name: "api", port, listen })];
  const view = workloadView({ name: "frontend", rootsPem, destinations });
  const frontend = await start({ view, svid });
  return { frontend, listen };
}

async function post(listen: number, agent: Agent): Promise<number | undefined> {
  const outgoing = request({ port: listen, host: LOOPBACK, method: "POST", agent });
  const [reply] = await once(outgoing.end("a body"), "response");
  await once(reply.resume(), "close");
  return reply.statusCode;
}

/** With neither side's sidecar rotating, only the callee's certificate ends. */
test("a pooled connection is given up by its caller before the callee's certificate ends; no request is lost", async () => {
  const svid = brief("api", 4_500);
  const { api, port } = await startApi(svid);
  const { frontend, listen } = await startFrontend(mesh.svid(idOf("frontend")), port);
  const agent = new Agent({ keepAlive: true });
  after(() => agent.destroy());
  assert.equal(await post(listen, agent), 200);
  const opened = (): number => api.log.find("connection opened").length;
  await eventually("another connection", async () => {
    assert.equal(await post(listen, agent), 200);
    return opened() >= 2;
  });
  assert.ok(Date.now() < svid.notAfter.getTime(), "after the end, nobody would have answered");
  assert.ok(frontend.entries.every(({ response_flags }) => response_flags === "-"));
});

function openMutualTls(svid: X509Svid, port: number): Socket {
  const socket = connectTls({
    port,
    host: LOOPBACK,
    key: svid.privateKeyPem,
    cert: svid.certificateChainPem,
    ca: mesh.rootPem,
    ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
    servername: "api",
    checkServerIdentity: () => undefined,
  });
  socket.on("error", () => socket.destroy());
  after(() => socket.destroy());
  return socket;
}

const GET = "GET / HTTP/1.1\r\nHost: api\r\n\r\n";

test("a caller that keeps its connection is told with the last answer, and an idle one is closed before the end", async () => {
  const lifetimeMs = 5_000;
  const { port } = await startApi(mesh.svid(idOf("api")));
  const svid = brief("frontend", lifetimeMs);
  const [idle, busy] = [openMutualTls(svid, port), openMutualTls(svid, port)];
  let heard = "";
  // Always one request more than it has answers, so that it is never idle.
  busy.on("data", (chunk: Buffer) => {
    heard = `${heard}${chunk}`.slice(-1_000);
    if (busy.writable) busy.write(GET.repeat(chunk.toString().split("HTTP/1.1 200").length - 1));
  });
  idle.resume();
  const closed = [idle, busy].map((socket) => once(socket, "close"));
  idle.write(GET);
  busy.write(GET.repeat(2));
  await eventually("the first answer", () => heard.includes("ok"));
  assert.doesNotMatch(heard, /connection: close/i);
  await Promise.all(closed);
  assert.match(heard, /connection: close/i);
  assert.ok(Date.now() < svid.notAfter.getTime() + 1_000);
});

test("a request that is under way when the time comes gets its answer", async () => {
  const svid = brief("frontend", 3_000);
  const { port } = await startApi(mesh.svid(idOf("api")), 3_500);
  const socket = openMutualTls(svid, port);
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk;
  });
  socket.write(GET);
  await once(socket, "close");
  assert.ok(Date.now() > svid.notAfter.getTime());
  assert.match(heard, /^HTTP\/1.1 200 /);
  assert.match(heard, /ok/);
});

test("CA-32: bytes over TCP go on beyond the end of the certificates they were begun under", async () => {
  const echo = createEchoServer((socket) => socket.pipe(socket));
  echo.listen(0, LOOPBACK).unref();
  await once(echo, "listening");
  const port = await freePort();
  const ports = [inboundPort({ listen: port, application: portOf(echo), protocol: "tcp" })];
  const svid = mesh.svid(idOf("api"));
  await start({ view: workloadView({ rootsPem, ports }), svid });
  const caller = brief("frontend", 2_000);
  const socket = openMutualTls(caller, port);
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk;
  });
  socket.write("one ");
  await eventually("an echo", () => heard === "one ");
  await delay(Math.max(0, caller.notAfter.getTime() - Date.now()) + 1_200);
  socket.write("two");
  await eventually("another echo", () => heard === "one two");
  socket.destroy();
  echo.close();
});
