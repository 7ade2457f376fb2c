import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer, request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  PROXY_PASSWORD,
  policy,
  portOf,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { PortProtocol } from "../api/service.ts";
import { canTellOwners } from "./workload-ownership.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill();
});

/** `api` with its sidecar in front of `application`. */
async function callee(
  application: Server,
  options: { readonly protocol?: PortProtocol } & Partial<ViewOptions> = {},
): Promise<TestSidecar & { readonly port: number }> {
  const port = await freePort();
  const ports = [inboundPort({ listen: port, application: portOf(application), ...options })];
  const view = workloadView({ rootsPem, ports, ...options });
  return { ...(await start({ view, svid: mesh.svid(idOf("api")) })), port };
}

/** `frontend`'s sidecar, with one listener for `api` and its HTTP proxy. */
async function caller(
  target: Omit<Parameters<typeof destination>[0], "name" | "listen">,
  options: { readonly applicationProcessIds?: readonly number[] } = {},
): Promise<TestSidecar & { readonly port: number; readonly proxy: number }> {
  const [port, proxy] = [await freePort(), await freePort()];
  const destinations = [destination({ name: "api", listen: port, ...target })];
  const view = workloadView({ name: "frontend", rootsPem, destinations, httpProxy: proxy });
  const svid = mesh.svid(idOf("frontend"));
  return { ...(await start({ view, svid, ...options })), port, proxy };
}

const echoApplication = (): Promise<Server> =>
  listening(
    createHttpServer((incoming, response) => {
      response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
    }),
  );

const upperCase = (): Promise<Server> =>
  listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => socket.write(String(chunk).toUpperCase()));
      socket.on("end", () => socket.end("<end>"));
    }),
  );

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function get(
  port: number,
  options: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const { path = "/orders", headers = {} } = options;
  const outgoing = request({ port, host: LOOPBACK, path, headers, agent: false }).end();
  const [incoming] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, body, headers: incoming.headers };
}

/** What comes back until the end. */
async function say(socket: Socket, text: string): Promise<string> {
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const dial = (port: number): Socket => connect({ port, host: LOOPBACK, allowHalfOpen: true });

test("a request that names nobody is told to the callee by the service's name", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port });
  const socket = dial(frontend.port);
  socket.write("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n");
  let seen = "";
  for await (const chunk of socket) seen += chunk;
  assert.match(seen, /^HTTP\/1.1 200 .*"host":"api.production.svc.cluster.local:8080"/s);
});

test("two sidecars: the call is answered, and both know both identities", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port });
  const { status, body } = await get(frontend.port, {
    headers: { "x-forwarded-client-cert": "URI=spiffe://forged/a" },
  });
  assert.equal(status, 200);
  const { headers } = JSON.parse(body);
  assert.match(headers["x-forwarded-client-cert"], /^By=[^,]*;URI=spiffe:[^,]*\/sa\/frontend$/);
  assert.equal(headers.host, "api.production.svc.cluster.local:8080");
  const [source, target] = [await frontend.entry(), await api.entry()];
  for (const { source_principal, destination_principal, source_certificate_serial } of [
    source,
    target,
  ]) {
    assert.equal(source_principal, idOf("frontend"));
    assert.equal(destination_principal, idOf("api"));
    assert.equal(source_certificate_serial, frontend.svid.current?.serialNumber);
  }
  assert.deepEqual([source.reporter, target.reporter], ["source", "destination"]);
  assert.equal(source.request_id, target.request_id);
  assert.equal(source.upstream_local_address, target.downstream_remote_address);
  assert.equal(source.upstream_cluster, "outbound|8080||api.production.svc.cluster.local");
});

test("OBS-20..OBS-23: both sidecars count the call, the callee's with both identities", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port });
  await get(frontend.port);
  await api.entry();
  await frontend.entry();
  const requests = async ({ adminPort }: TestSidecar): Promise<string> => {
    const { body } = await get(adminPort, { path: "/stats/prometheus" });
    return body.split("\n").find((line) => line.startsWith("istio_requests_total{")) ?? "";
  };
  const counted = await requests(api);
  for (const label of [
    'reporter="destination"',
    `source_principal="${idOf("frontend")}"`,
    `destination_principal="${idOf("api")}"`,
    'destination_workload="api"',
    'connection_security_policy="mutual_tls"',
    'response_code="200"',
  ]) {
    assert.ok(counted.includes(label), `${label} is not in ${counted}`);
  }
  const called = await requests(frontend);
  assert.match(called, /reporter="source".*source_workload="frontend".* 1$/);
  assert.match(called, /destination_service="api.production.svc.cluster.local"/);
});

test("a denial at the callee reaches the caller as it is", async () => {
  const api = await callee(await echoApplication(), { policies: [policy("DENY", "nobody", {})] });
  const frontend = await caller({ port: api.port });
  const { status, body } = await get(frontend.port);
  assert.deepEqual([status, body], [403, "RBAC: access denied"]);
});

for (const protocol of ["tcp", "auto"] as const) {
  test(`bytes to a ${protocol} destination go both ways and end one after the other`, async () => {
    const api = await callee(await upperCase(), { protocol });
    const frontend = await caller({ port: api.port, protocol });
    assert.equal(await say(dial(frontend.port), "hello"), "HELLO<end>");
    const written = await api.entry();
    assert.equal(written.protocol, "TCP");
    assert.equal(written.source_principal, idOf("frontend"));
    assert.deepEqual([written.bytes_received, written.bytes_sent], [5, 10]);
    const { fields } = await frontend.line("outbound connection opened");
    assert.equal(fields["upstreamSerial"], api.svid.current?.serialNumber);
    const source = await frontend.entry();
    assert.deepEqual([source.bytes_received, source.bytes_sent], [5, 10]);
    assert.equal(fields["from"], source.downstream_remote_address);
  });
}

test("requests to an auto destination are seen as requests by both sidecars", async () => {
  const api = await callee(await echoApplication(), { protocol: "auto" });
  const frontend = await caller({ port: api.port, protocol: "auto" });
  assert.equal((await get(frontend.port)).status, 200);
  assert.equal((await api.entry()).protocol, "HTTP/1.1");
  assert.equal((await frontend.entry()).method, "GET");
});

test("much data over TCP arrives whole though the reader is slow", async () => {
  const size = 16 * 1024 * 1024;
  const application = await listening(
    createServer(async (socket) => {
      let bytes = 0;
      for await (const chunk of socket) {
        bytes += chunk.length;
        if (bytes % 7 === 0) await delay(1);
      }
      socket.end(String(bytes));
    }),
  );
  const api = await callee(application, { protocol: "tcp" });
  const frontend = await caller({ port: api.port, protocol: "tcp" });
  const socket = dial(frontend.port);
  socket.end(Buffer.alloc(size));
  await eventually("the callee's entry", () => api.entries[0]);
  assert.equal((await api.entry()).bytes_received, size);
  socket.destroy();
});

test("a callee with another identity is refused before a byte is sent", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port, identities: [idOf("database")] });
  assert.equal((await get(frontend.port)).status, 503);
  const written = await frontend.entry();
  assert.equal(written.response_flags, "UF");
  assert.match(
    written.upstream_transport_failure_reason ?? "",
    /TLS_error.*sa\/api.*is not one of/,
  );
  assert.equal(written.destination_principal, null);
  assert.equal(api.entries.filter(({ method }) => method !== null).length, 0);
});

test("TCP to a callee with another identity ends without a byte", async () => {
  const application = await upperCase();
  let connections = 0;
  application.on("connection", () => connections++);
  const api = await callee(application, { protocol: "tcp" });
  const frontend = await caller({
    port: api.port,
    protocol: "tcp",
    identities: [idOf("database")],
  });
  assert.equal(await say(dial(frontend.port), "hello").catch(() => ""), "");
  assert.equal((await frontend.entry()).response_flags, "UF");
  assert.equal(connections, 0);
});

test("QK-29: with no identity expected, any of the trust domain is accepted, and no other", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port, identities: [] });
  assert.equal((await get(frontend.port)).status, 200);
  const foreign = mesh.svid("spiffe://else.where/ns/a/sa/b");
  const server = createTlsServer({ cert: foreign.certificateChainPem, key: foreign.privateKeyPem });
  const wrong = await caller({ port: portOf(await listening(server)), identities: [] });
  assert.equal((await get(wrong.port)).status, 503);
  assert.match(
    (await wrong.entry()).upstream_transport_failure_reason ?? "",
    /foreign trust domain/,
  );
});

test("a callee under another root is refused", async () => {
  const other = createThrowawayAuthority().svid(idOf("api"));
  const server = createTlsServer({ cert: other.certificateChainPem, key: other.privateKeyPem });
  const frontend = await caller({ port: portOf(await listening(server)) });
  assert.equal((await get(frontend.port)).status, 503);
  assert.match((await frontend.entry()).upstream_transport_failure_reason ?? "", /TLS_error/);
});

test("a plaintext endpoint is called in plaintext, and nobody is claimed to be verified", async () => {
  const frontend = await caller({ port: portOf(await echoApplication()), mutualTls: false });
  assert.equal((await get(frontend.port)).status, 200);
  const { source_principal, destination_principal } = await frontend.entry();
  assert.deepEqual([source_principal, destination_principal], [null, null]);
});

test("an endpoint that cannot be connected is followed by the next, the body still whole", async () => {
  const api = await callee(
    await listening(createHttpServer((incoming, response) => incoming.pipe(response))),
  );
  const port = await freePort();
  const good = destination({ name: "api", port: api.port, listen: port });
  const dead = destination({ name: "api", port: await freePort() });
  const view = workloadView({
    name: "frontend",
    rootsPem,
    destinations: [{ ...good, endpoints: [...dead.endpoints, ...good.endpoints] }],
  });
  await start({ view, svid: mesh.svid(idOf("frontend")) });
  for (let round = 0; round < 4; round++) {
    const response = await fetch(`http://${LOOPBACK}:${port}/`, { method: "POST", body: "hello" });
    assert.deepEqual([response.status, await response.text()], [200, "hello"]);
  }
});

test("a destination without endpoints answers 503 and UH", async () => {
  const port = await freePort();
  const one = destination({ name: "api", port: 1, listen: port });
  const view = workloadView({
    name: "frontend",
    rootsPem,
    destinations: [{ ...one, endpoints: [] }],
  });
  const frontend = await start({ view, svid: mesh.svid(idOf("frontend")) });
  const { status, body } = await get(port);
  assert.equal(status, 503);
  assert.equal(body, "service production/api has no ready endpoint for port 8080\n");
  const written = await frontend.entry();
  assert.equal(written.response_flags, "UH");
  assert.equal(written.upstream_cluster, "outbound|8080||api.production.svc.cluster.local");
});

test("after renewal new requests show the new certificate; a living TCP connection goes on", async () => {
  const echo = await callee(await upperCase(), { protocol: "tcp" });
  const frontend = await caller({ port: echo.port, protocol: "tcp" });
  const socket = dial(frontend.port);
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk;
  });
  socket.write("one");
  await eventually("an answer", () => heard === "ONE");
  const [before, after] = [frontend.svid.current?.serialNumber, mesh.svid(idOf("frontend"))];
  frontend.svid.set(after);
  echo.svid.set(mesh.svid(idOf("api")));
  socket.write("two");
  await eventually("an answer", () => heard === "ONETWO");
  assert.equal(await say(dial(frontend.port), "three"), "THREE<end>");
  socket.destroy();
  const serials = await eventually("both entries", () => echo.entries.length === 2 && echo.entries);
  assert.deepEqual(
    new Set(serials.map((entry) => entry.source_certificate_serial)),
    new Set([before, after.serialNumber]),
  );
});

test("after renewal pooled connections of the old certificate serve no further request", async () => {
  const api = await callee(await echoApplication());
  const frontend = await caller({ port: api.port });
  await get(frontend.port);
  await get(frontend.port);
  const [first, second] = await eventually(
    "entries",
    () => api.entries.length === 2 && api.entries,
  );
  assert.equal(first?.downstream_remote_address, second?.downstream_remote_address);
  const renewed = mesh.svid(idOf("frontend"));
  frontend.svid.set(renewed);
  await get(frontend.port);
  const third = await eventually("an entry", () => api.entries[2]);
  assert.equal(third.source_certificate_serial, renewed.serialNumber);
});

const credentials = (user: string, password: string): Readonly<Record<string, string>> => ({
  "proxy-authorization": `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const own = credentials("frontend-0", PROXY_PASSWORD);

test("the HTTP proxy finds services by every name they have", async () => {
  const api = await callee(await echoApplication());
  const { proxy } = await caller({ port: api.port });
  for (const name of [
    "api",
    "API",
    "api.production",
    "api.production.svc",
    "api.production.svc.cluster.local",
    "api.",
  ]) {
    const { status, body } = await get(proxy, { path: `http://${name}:8080/x`, headers: own });
    assert.equal(status, 200, name);
    const { url, headers } = JSON.parse(body);
    assert.equal(url, "/x");
    assert.equal(headers.host, `${name}:8080`);
    assert.equal("proxy-authorization" in headers, false);
  }
});

const unreachable: [path: string, status: number][] = [
  ["http://api:9090/", 502],
  ["http://api/", 502],
  ["http://example.com/", 502],
  ["http://127.0.0.1:8080/", 502],
  ["/relative", 400],
  ["https://api:8080/", 400],
];
for (const [path, status] of unreachable) {
  test(`the HTTP proxy answers ${path} with ${status}`, async () => {
    const { proxy } = await caller({ port: 1 });
    assert.equal((await get(proxy, { path, headers: own })).status, status);
  });
}

const strangers: [who: string, headers: Readonly<Record<string, string>>][] = [
  ["without credentials", {}],
  ["with a wrong password", credentials("frontend-0", "wrong")],
  ["with another pod's name", credentials("other-0", PROXY_PASSWORD)],
  ["with another scheme", { "proxy-authorization": `Bearer ${PROXY_PASSWORD}` }],
];
for (const [who, headers] of strangers) {
  test(`the HTTP proxy refuses a caller ${who}`, async () => {
    const { proxy, entry } = await caller({ port: 1 });
    const reply = await get(proxy, { path: "http://api:8080/", headers });
    assert.equal(reply.status, 407);
    assert.match(String(reply.headers["proxy-authenticate"]), /^Basic/);
    assert.equal((await entry()).decision?.reason.because, "not-own-workload");
  });
}

async function tunnel(
  proxy: number,
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | undefined; readonly socket: Socket }> {
  const outgoing = request({
    port: proxy,
    host: LOOPBACK,
    method: "CONNECT",
    path: target,
    headers,
    agent: false,
  });
  outgoing.end();
  const [response, socket] = await once(outgoing, "connect");
  return { status: response.statusCode, socket };
}

test("CONNECT opens a tunnel to a TCP service", async () => {
  const api = await callee(await upperCase(), { protocol: "tcp" });
  const { proxy } = await caller({ port: api.port, protocol: "tcp" });
  const { status, socket } = await tunnel(proxy, "api:8080", own);
  assert.equal(status, 200);
  assert.equal(await say(socket, "hello"), "HELLO<end>");
  assert.equal((await api.entry()).source_principal, idOf("frontend"));
});

test("what comes through a tunnel to an HTTP service is judged request by request", async () => {
  const api = await callee(await echoApplication());
  const { proxy } = await caller({ port: api.port });
  const { socket } = await tunnel(proxy, "api:8080", own);
  socket.write("GET /tunnelled HTTP/1.1\r\nHost: api:8080\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  assert.match(answer, /^HTTP\/1.1 200/);
  assert.equal((await api.entry()).path, "/tunnelled");
});

test("CONNECT is refused without credentials, to unknown names, and on plain listeners", async () => {
  const { proxy, port } = await caller({ port: 1 });
  assert.equal((await tunnel(proxy, "api:8080", {})).status, 407);
  assert.equal((await tunnel(proxy, "example.com:443", own)).status, 502);
  assert.equal((await tunnel(port, "api:8080", own)).status, 405);
});

/** A program that calls the port it reads from its standard input, and tells what it hears. */
const CLIENT = `
  process.stdin.once("data", (port) => {
    const socket = require("node:net").connect(Number(port), "127.0.0.1");
    let heard = "";
    socket.on("data", (text) => { heard += text; });
    socket.on("error", () => {});
    socket.on("close", () => process.stdout.write(JSON.stringify(heard), () => process.exit()));
    socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n");
  });
`;
const PARENT_OF_CLIENT = `
  require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(CLIENT)}], { stdio: "inherit" });
`;

function program(code: string): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const { pid } = child;
  if (pid === undefined) throw new Error("no process was started");
  return Object.assign(child, { pid });
}

async function heardBy({ stdin, stdout }: ChildProcess, port: number): Promise<string> {
  stdin?.write(String(port));
  let text = "";
  for await (const chunk of stdout ?? []) text += chunk;
  return JSON.parse(text);
}

const linux = { skip: !canTellOwners() && "this system does not tell who owns a connection" };

for (const [who, code] of [
  ["the application", CLIENT],
  ["a process that the application started", PARENT_OF_CLIENT],
] as const) {
  test(`design 4a: a plain listener serves ${who}`, linux, async () => {
    const api = await callee(await echoApplication());
    const child = program(code);
    const frontend = await caller({ port: api.port }, { applicationProcessIds: [child.pid] });
    assert.match(await heardBy(child, frontend.port), /^HTTP\/1.1 200/);
  });
}

test(
  "design 4a: a plain listener refuses a process of another workload, and names it",
  linux,
  async () => {
    const api = await callee(await echoApplication());
    const [own, foreign] = [program(CLIENT), program(CLIENT)];
    const frontend = await caller({ port: api.port }, { applicationProcessIds: [own.pid] });
    assert.equal(await heardBy(foreign, frontend.port), "");
    const written = await frontend.entry();
    assert.equal(written.decision?.reason.because, "not-own-workload");
    const { level, fields } = await frontend.line("foreign process refused");
    assert.equal(level, "warn");
    assert.equal(fields["processId"], foreign.pid);
    assert.equal(fields["command"], "node");
    assert.equal(fields["from"], written.downstream_remote_address);
    assert.equal(api.entries.length, 0);
  },
);

test("design 4a: nobody is served before the application runs", linux, async () => {
  const frontend = await caller({ port: 1 }, { applicationProcessIds: [] });
  await assert.rejects(get(frontend.port));
  assert.equal((await frontend.entry()).decision?.reason.because, "not-own-workload");
});

/** Node's own server takes 16 KiB. */
const takesLargeHeads = (): Promise<Server> =>
  listening(createHttpServer({ maxHeaderSize: 100_000 }, (_, response) => response.end()));

const large: [what: string, count: number, octets: number, status: number][] = [
  ["100 fields", 96, 1, 200],
  ["101 fields", 97, 1, 431],
  ["60 KiB in 100 fields", 96, 61_440 - 1_500, 200],
  ["more than 60 KiB", 96, 61_440, 431],
];
for (const protocol of ["http", "http2"] as const) {
  for (const [what, count, octets, status] of large) {
    test(`QK-15: ${what} from an application: what its own sidecar takes, the callee's takes (${protocol})`, async () => {
      const api = await callee(await takesLargeHeads());
      const frontend = await caller({ port: api.port, protocol });
      const each = Math.max(1, Math.floor(octets / count) - "X-00: \r\n".length);
      const lines = Array.from({ length: count }, (_, index) => {
        return `X-${String(index).padStart(2, "0")}: ${"v".repeat(each)}\r\n`;
      });
      const socket = dial(frontend.port);
      const own = "Host: api\r\nConnection: close\r\nAccept: */*\r\nUser-Agent: a\r\n";
      socket.write(`GET / HTTP/1.1\r\n${own}${lines.join("")}\r\n`);
      let seen = "";
      for await (const chunk of socket) seen += chunk;
      assert.equal(seen.slice(9, 12), String(status));
    });
  }
}
