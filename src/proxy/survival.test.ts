/** What a sidecar does while its application, another sidecar or its own predecessor is away for a moment. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, request } from "node:http";
import { connect, createServer, type Server as TcpServer } from "node:net";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import type { PortProtocol } from "../api/service.ts";
import { canTellOwners } from "./workload-ownership.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill();
});

/** `frontend`'s sidecar, with a listener for the plaintext service `api` at `port`. */
async function caller(
  port: number,
  options: {
    readonly protocol?: PortProtocol;
    readonly applicationProcessIds?: readonly number[];
  } = {},
): Promise<TestSidecar & { readonly port: number }> {
  const listen = await freePort();
  const { protocol = "http", ...rest } = options;
  const api = destination({ name: "api", port, listen, protocol, mutualTls: false });
  const view = workloadView({ name: "frontend", rootsPem, destinations: [api] });
  return { ...(await start({ view, svid: mesh.svid(idOf("frontend")), ...rest })), port: listen };
}

async function serve(listener: RequestListener): Promise<number> {
  return portOf(await listening(createHttpServer(listener)));
}

async function ask(
  port: number,
  options: { readonly method?: string; readonly body?: string } = {},
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { method = "GET" } = options;
  const outgoing = request({ port, host: LOOPBACK, method, agent: false }).end(options.body);
  const [incoming] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, body };
}

test("an application that is down is answered for at once, with 503 and UF", async () => {
  const port = await freePort();
  const ports = [inboundPort({ listen: port, application: await freePort(), mode: "PERMISSIVE" })];
  const api = await start({
    view: workloadView({ rootsPem, ports }),
    svid: mesh.svid(idOf("api")),
  });
  const { status } = await ask(port);
  assert.equal(status, 503);
  const written = await api.entry();
  assert.equal(written.response_flags, "UF");
  assert.match(written.upstream_transport_failure_reason ?? "", /ECONNREFUSED/);
  assert.ok(written.duration < 300, `it took ${written.duration} ms`);
});

/** Opens a port only when somebody was refused there, as a program that is being restarted. */
function openSoon<S extends TcpServer>(server: S, port: number): S {
  setTimeout(() => server.listen(port, LOOPBACK).unref(), 75);
  return server;
}

for (const method of ["GET", "POST"]) {
  test(`a ${method} waits for a callee that is just starting, and arrives whole`, async (context) => {
    const port = await freePort();
    const frontend = await caller(port);
    const callee = createHttpServer((incoming, reply) => incoming.pipe(reply));
    openSoon(callee, port);
    context.after(() => callee.closeAllConnections());
    const body = method === "POST" ? "a body" : "";
    assert.deepEqual(await ask(frontend.port, { method, body }), { status: 200, body });
    assert.equal((await frontend.entry()).response_flags, "-");
  });
}

test("TCP waits for a callee that is just starting", async () => {
  const port = await freePort();
  const frontend = await caller(port, { protocol: "tcp" });
  const greeter = openSoon(
    createServer((socket) => socket.end("hello")),
    port,
  );
  const socket = connect({ port: frontend.port, host: LOOPBACK });
  const [heard] = await once(socket, "data");
  assert.equal(String(heard), "hello");
  socket.destroy();
  greeter.close();
});

test("a callee that stays away is given up soon", async () => {
  const frontend = await caller(await freePort());
  assert.equal((await ask(frontend.port)).status, 503);
  const { duration, response_flags } = await frontend.entry();
  assert.equal(response_flags, "UF");
  assert.ok(duration >= 450 && duration < 2_000, `it took ${duration} ms`);
});

interface Grave {
  readonly port: number;
  readonly methods: readonly (string | undefined)[];
}

/** Serves one request on each connection; a second one kills it, as when the callee was restarted meanwhile. */
async function serveOnce(reply: "answers" | "dies too"): Promise<Grave> {
  const seen = new WeakSet<object>();
  const methods: (string | undefined)[] = [];
  let connections = 0;
  const port = await serve((incoming, response) => {
    methods.push(incoming.method);
    const isFirst = !seen.has(incoming.socket) && ++connections > 0;
    seen.add(incoming.socket);
    if (isFirst && (reply === "answers" || connections === 1)) response.end("ok");
    else incoming.socket.destroy();
  });
  return { port, methods };
}

for (const [method, reply, status, expected] of [
  ["GET", "answers", 200, ["GET", "GET", "GET"]],
  ["GET", "dies too", 503, ["GET", "GET", "GET"]],
  ["DELETE", "answers", 200, ["GET", "DELETE", "DELETE"]],
  ["POST", "answers", 503, ["GET", "POST"]],
] as const) {
  test(`a ${method} on a pooled connection that died, before a callee that ${reply}: ${status}`, async () => {
    const callee = await serveOnce(reply);
    const frontend = await caller(callee.port);
    assert.equal((await ask(frontend.port)).status, 200);
    const options = method === "POST" ? { method, body: "x" } : { method };
    assert.equal((await ask(frontend.port, options)).status, status);
    assert.deepEqual(callee.methods, expected);
  });
}

test("an answer may take longer than an idle connection is kept", async () => {
  const port = await freePort();
  const application = await serve((_incoming, response) => {
    setTimeout(() => response.end("late"), 1_800);
  });
  const ports = [inboundPort({ listen: port, application, mode: "PERMISSIVE" })];
  await start({ view: workloadView({ rootsPem, ports }), svid: mesh.svid(idOf("api")) });
  assert.deepEqual(await ask(port), { status: 200, body: "late" });
});

/** A program that asks at once what it is told to ask, and says when it is connected and what it hears. */
const CLIENT = `
  const say = (text) => process.stdout.write(text + "\\n");
  require("node:http")
    .get({ port: process.argv[1], host: "127.0.0.1", agent: false }, (reply) => {
      reply.resume();
      say(reply.statusCode);
    })
    .on("socket", (socket) => socket.once("connect", () => say("connected")))
    .on("error", (error) => say(error.code));
`;

const linux = { skip: !canTellOwners() && "this system does not tell who owns a connection" };

async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? assert.fail("no process was started");
}

for (const [when, before] of [
  ["the first time", []],
  ["again", [await endedProcess()]],
] as const) {
  test(
    `design 4a: an application started ${when} may call before the sidecar hears of it`,
    linux,
    async () => {
      const application = await serve((_incoming, response) => response.end("ok"));
      const frontend = await caller(application, { applicationProcessIds: before });
      const child = spawn(process.execPath, ["-e", CLIENT, String(frontend.port)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      assert.equal((await said.next()).value, "connected");
      frontend.applicationProcessIds.set([child.pid ?? assert.fail("no process was started")]);
      assert.equal((await said.next()).value, "200");
    },
  );
}

test("a sidecar takes over the ports of one that is just closing", async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const application = await serve((_incoming, response) => response.end("ok"));
  const ports = [inboundPort({ listen: port, application, mode: "PERMISSIVE" })];
  const settings = {
    view: workloadView({ rootsPem, ports }),
    svid: mesh.svid(idOf("api")),
    adminPort,
  };
  const former = await startTestSidecar(settings);
  setTimeout(() => former.sidecar.close(), 300);
  const next = await start(settings);
  assert.equal((await ask(port)).status, 200);
  assert.deepEqual(
    next.log.lines.filter(({ level }) => level === "error"),
    [],
  );
});
