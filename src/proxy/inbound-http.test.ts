import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

const mesh = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));
const frontend = mesh.svid(idOf("frontend"));

interface Stage extends TestSidecar {
  readonly application: Server;
  readonly port: number;
  view(options?: Partial<ViewOptions> & { readonly mode?: MutualTlsMode }): WorkloadView;
}

const stages: Stage[] = [];
after(async () => {
  for (const { application } of stages) application.closeAllConnections();
  await Promise.all(stages.map(({ sidecar }) => sidecar.close()));
});

async function stage(
  listener: RequestListener,
  options: Parameters<Stage["view"]>[0] = {},
): Promise<Stage> {
  const application = createServer(listener).listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const view: Stage["view"] = ({ mode = "PERMISSIVE", ...rest } = {}) => {
    const settings = { listen: port, application: portOf(application), mode };
    return workloadView({ rootsPem: [mesh.rootPem], ports: [inboundPort(settings)], ...rest });
  };
  const started = await startTestSidecar({ view: view(options), svid: api });
  const all = { ...started, application, port, view };
  stages.push(all);
  return all;
}

const echo: RequestListener = (incoming, response) => {
  const { method, url, rawHeaders } = incoming;
  response.end(JSON.stringify({ method, url, headers: incoming.headers, rawHeaders }));
};

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

async function call(
  port: number,
  options: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly as?: typeof frontend;
  } = {},
): Promise<Reply> {
  const { method = "GET", path = "/", headers = {}, body, as } = options;
  const outgoing = request({
    method,
    path,
    headers: { host: "api:8080", connection: "close", ...headers },
    createConnection: () =>
      as === undefined ? connect({ port, host: LOOPBACK }) : meshSocket(port, as),
  });
  outgoing.end(body);
  const [incoming]: IncomingMessage[] = await once(outgoing, "response");
  if (incoming === undefined) throw new Error("no answer");
  let text = "";
  for await (const chunk of incoming) text += chunk;
  return { status: incoming.statusCode, body: text, headers: incoming.headers };
}

function meshSocket(port: number, { certificateChainPem, privateKeyPem }: typeof frontend): Socket {
  return connectTls({
    port,
    host: LOOPBACK,
    cert: certificateChainPem,
    key: privateKeyPem,
    ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
    rejectUnauthorized: false,
  });
}

/** Sends bytes as they are; what comes back until the other side closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: LOOPBACK });
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.on("error", () => socket.destroy());
  socket.write(bytes, "latin1");
  await once(socket, "close");
  return seen;
}

test("OBS-30, OBS-33, QK-34: the application is told who called; what the caller forwarded stays before it", async () => {
  const { port } = await stage(echo);
  const forged = "By=spiffe://x/y;URI=spiffe://x/admin";
  const { body } = await call(port, {
    as: frontend,
    headers: { "x-forwarded-client-cert": forged },
  });
  const hash = createHash("sha256").update(new X509Certificate(frontend.certificateChainPem).raw);
  const own = `By=${idOf("api")};Hash=${hash.digest("hex")};Subject="";URI=${idOf("frontend")}`;
  assert.equal(JSON.parse(body).headers["x-forwarded-client-cert"], `${forged},${own}`);
});

test("OBS-32: on plaintext nobody says who called", async () => {
  const { port } = await stage(echo);
  const { body } = await call(port, { headers: { "x-forwarded-client-cert": "URI=spiffe://x/y" } });
  assert.equal("x-forwarded-client-cert" in JSON.parse(body).headers, false);
});

test("OBS-30: proxyHeaders say who may say who called, and a view that changes them counts at once", async () => {
  const { port, view, views } = await stage(echo);
  const sent = { "x-forwarded-client-cert": "By=spiffe://x/y;URI=spiffe://x/admin" };
  const heard = async (as?: typeof frontend): Promise<string | undefined> => {
    const { body } = await call(port, { headers: sent, ...(as && { as }) });
    return JSON.parse(body).headers["x-forwarded-client-cert"];
  };
  views.set(view({ proxyHeaders: { forwardedClientCert: "SANITIZE" } }));
  assert.equal(await heard(frontend), undefined);
  const set = { forwardedClientCert: "SANITIZE_SET", clientCertDetails: ["uri"] } as const;
  views.set(view({ proxyHeaders: set }));
  assert.match((await heard(frontend)) ?? "", /^By=[^,;]*;Hash=\w{64};URI=[^,;]*frontend$/);
  views.set(view({ proxyHeaders: { forwardedClientCert: "ALWAYS_FORWARD_ONLY" } }));
  assert.equal(await heard(), sent["x-forwarded-client-cert"]);
});

const requestIds: ["generated" | "as received", there: boolean][] = [
  ["generated", true],
  ["as received", false],
];
for (const [requestId, there] of requestIds) {
  test(`proxyHeaders.requestId: ids are ${requestId}`, async () => {
    const { port } = await stage(echo, { proxyHeaders: { requestId } });
    const { body } = await call(port);
    assert.equal("x-request-id" in JSON.parse(body).headers, there);
  });
}

const disguised = [
  "X_Forwarded_Client_Cert",
  "x-forwarded_client_cert",
  "x_forwarded_for",
  "X-Envoy_Peer_Metadata",
];
for (const name of disguised) {
  test(`OBS-32: ${name} does not reach an application that takes _ for -, and is judged as it came`, async () => {
    const when = { key: `request.headers[${name}]`, values: ["bad"], notValues: [] };
    const { port } = await stage(echo, { policies: [policy("DENY", "none", { when: [when] })] });
    const { body } = await call(port, { headers: { [name]: "URI=spiffe://x/y", x_other: "1" } });
    const { headers } = JSON.parse(body);
    assert.equal(name.toLowerCase() in headers, false);
    assert.equal(headers["x_other"], "1");
    const { status } = await call(port, { headers: { [name]: "bad" } });
    assert.equal(status, 403);
  });
}

test("PA-37: what was let in as plaintext ends with the first request under STRICT, in HTTP/2 too", async () => {
  const { port, view, views } = await stage(echo);
  const session = connectHttp2(`http://${LOOPBACK}:${port}`).on("error", () => {});
  const ask = () => session.request({ ":authority": "api:8080" }).resume();
  const [answer] = await once(ask(), "response");
  assert.equal(answer[":status"], 200);
  views.set(view({ mode: "STRICT" }));
  const refused = ask();
  await assert.rejects(once(refused, "response"));
  await eventually("the connection to end", () => session.destroyed);
});

test("a request id is kept, or made; x-forwarded-proto likewise", async () => {
  const { port, entry } = await stage(echo);
  const kept = JSON.parse((await call(port, { headers: { "x-request-id": "abc" } })).body);
  assert.equal(kept.headers["x-request-id"], "abc");
  assert.equal(kept.headers["x-forwarded-proto"], "http");
  const made = JSON.parse((await call(port)).body).headers["x-request-id"];
  assert.match(made, /^[0-9a-f-]{36}$/);
  await entry(({ request_id }) => request_id === made);
});

test("AP-130, AP-131: a denied request gets 403 and exactly this body, and the log says why", async () => {
  const policies = [policy("DENY", "no-admin", { to: [{ paths: ["/admin*"] }] })];
  const { port, entry } = await stage(echo, { policies });
  const { status, body, headers } = await call(port, { path: "/admin/x" });
  assert.equal(status, 403);
  assert.equal(body, "RBAC: access denied");
  assert.equal(headers["content-type"], "text/plain");
  const written = await entry();
  assert.equal(
    written.response_code_details,
    "rbac_access_denied_matched_policy[ns[production]-policy[no-admin]-rule[0]]",
  );
  assert.equal(written.bytes_sent, 19);
  await call(port, { method: "HEAD", path: "/admin/x" });
  assert.equal((await entry(({ method }) => method === "HEAD")).bytes_sent, 0);
});

test("AP-106: what is judged is what is forwarded", async () => {
  const policies = [policy("DENY", "no-admin", { to: [{ paths: ["/admin"] }] })];
  const { port } = await stage(echo, { policies });
  assert.equal((await call(port, { path: "/x/%2e%2E/admin?a=/../b" })).status, 403);
  assert.equal(JSON.parse((await call(port, { path: "/a/../b?c=/../d" })).body).url, "/b?c=/../d");
});

test("AP-51a: the rightmost X-Forwarded-For address is the remote one", async () => {
  const policies = [policy("ALLOW", "near", { from: [{ remoteIpBlocks: ["10.1.0.0/16"] }] })];
  const { port } = await stage(echo, { policies });
  const from = (list: string): Promise<Reply> =>
    call(port, { headers: { "x-forwarded-for": list } });
  assert.equal((await from("9.9.9.9, 10.1.2.3")).status, 200);
  assert.equal((await from("10.1.2.3, 9.9.9.9")).status, 403);
  assert.equal((await from("10.1.2.3, unknown")).status, 403);
  assert.equal((await from("10.1.2.3, 10.1.2.3:80")).status, 403);
  assert.equal((await from("9.9.9.9, ::ffff:10.1.2.3")).status, 403, "AP-50a: another address");
});

test("a body that is refused does not spoil the connection for the next request", async () => {
  const policies = [policy("DENY", "no-writes", { to: [{ methods: ["POST"] }] })];
  const { port } = await stage(echo, { policies });
  const body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const seen = await raw(
    port,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
      "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  assert.deepEqual(seen.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 403", "HTTP/1.1 200"]);
  assert.match(seen, /"url":"\/next"/);
});

test("an unwanted body without end is cut off", async () => {
  const policies = [policy("DENY", "no-writes", { to: [{ methods: ["POST"] }] })];
  const { port } = await stage(echo, { policies });
  const socket = connect({ port, host: LOOPBACK });
  socket.on("error", () => socket.destroy());
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  let sent = 0;
  while (!socket.destroyed && sent < 500) {
    socket.write(Buffer.alloc(65_536));
    sent++;
    await delay(1);
  }
  assert.ok(sent < 500, `${sent} pieces of 64 KiB were taken`);
});

test("a change of policy binds the next request of an open connection", async () => {
  const { port, views, view } = await stage(echo);
  const socket = meshSocket(port, frontend);
  const answers: string[] = [];
  socket.on("data", (chunk: Buffer) => answers.push(chunk.toString("latin1")));
  const ask = async (): Promise<string> => {
    const before = answers.length;
    socket.write("GET / HTTP/1.1\r\nHost: api:8080\r\n\r\n");
    return eventually("an answer", () => answers.slice(before).join("") || undefined);
  };
  assert.match(await ask(), /^HTTP\/1.1 200/);
  views.set(view({ policies: [policy("DENY", "nobody", {})] }));
  assert.match(await ask(), /^HTTP\/1.1 403/);
  views.set(view());
  assert.match(await ask(), /^HTTP\/1.1 200/);
  socket.destroy();
});

test("a connection verified against other roots than today's is closed after its next answer", async () => {
  const { port, views, view } = await stage(echo, { mode: "STRICT" });
  const socket = meshSocket(port, frontend);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("an answer", () => seen.includes("200 OK"));
  assert.doesNotMatch(seen, /connection: close/i);
  const rootsPem = [mesh.rootPem, createThrowawayAuthority().rootPem];
  views.set(view({ mode: "STRICT", rootsPem }));
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "close");
  assert.match(seen, /200 OK[\s\S]*200 OK[\s\S]*connection: close/i);
});

test("an idle connection of a peer whose trust domain is accepted no longer is closed at once", async () => {
  const { port, views, view, line } = await stage(echo, {
    mode: "STRICT",
    trustDomainAliases: ["old.mesh"],
  });
  const socket = meshSocket(port, mesh.svid("spiffe://old.mesh/ns/production/sa/frontend"));
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("an answer", () => seen.includes("200 OK"));
  seen = "";
  views.set(view({ mode: "STRICT" }));
  await once(socket, "close");
  assert.equal(seen, "");
  const { fields } = await line("HTTP connection ended by a change of trust");
  assert.match(String(fields["problem"]), /foreign trust domain/);
});

test("an open plaintext connection ends with its next request once the port is STRICT", async () => {
  const { port, views, view, entries } = await stage(echo);
  const socket = connect({ port, host: LOOPBACK });
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("an answer", () => seen.includes("200 OK"));
  seen = "";
  views.set(view({ mode: "STRICT" }));
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "close");
  assert.equal(seen, "");
  await eventually("the refusal", () =>
    entries.some(({ decision }) => decision?.reason.because === "plaintext-refused"),
  );
});

const malformed: [what: string, text: string, status: number][] = [
  [
    "both framings",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "both framings, the other way",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    400,
  ],
  ["a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400],
  [
    "another coding before chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    501,
  ],
  [
    "a coding like chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    501,
  ],
  [
    "chunked in HTTP/1.0",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400],
  [
    "a folded coding",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["a bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400],
  ["a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400],
  ["a bare CR in a field", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400],
  ["a NUL in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400],
  ["a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
  ["two Hosts (QK-6)", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400],
  ["no Host (QK-12)", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["no Host in HTTP/1.0 (QK-12)", "GET / HTTP/1.0\r\n\r\n", 400],
  ["an encoded NUL", "GET /a%00b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400],
  ["HTTP/0.9 (QK-12)", "GET /\r\n\r\n", 400],
  ["HTTP/2.0 as a version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
  ["CONNECT (QK-11)", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  [
    "101 headers (QK-15)",
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${"X: y\r\n".repeat(99)}\r\n`,
    431,
  ],
  [
    "61 KiB of headers (QK-15)",
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ${"y".repeat(62_464)}\r\n\r\n`,
    431,
  ],
  [
    "a chunk length in LF",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nA\n0\n\n",
    400,
  ],
  [
    "a chunk extension with LF",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x\nA\r\n0\r\n\r\n",
    400,
  ],
];
{
  const paths: (string | undefined)[] = [];
  const shared = stage((incoming, response) => {
    paths.push(incoming.url);
    incoming.on("end", () => response.end());
    incoming.resume();
  });
  for (const [what, text, status] of malformed) {
    test(`QK-16: a request with ${what} gets ${status} and one line in the log`, async () => {
      const { port, entries } = await shared;
      const before = entries.length;
      assert.match(await raw(port, text), new RegExp(`^HTTP/1\\.1 ${status}`));
      await eventually("the log line", () => entries.length > before);
      await delay(5);
      assert.deepEqual(
        entries.slice(before).map(({ response_code }) => response_code),
        [status],
      );
    });
  }
  test("QK-16: none of them was ever complete at the application", async () => {
    await shared;
    assert.deepEqual(
      paths.filter((path) => path !== "/"),
      [],
    );
  });
}

test("AP-109: an absolute target is judged and forwarded by its own authority", async () => {
  const policies = [policy("DENY", "no-secret", { to: [{ hosts: ["secret.example"] }] })];
  const { port } = await stage(echo, { policies });
  const ask = (target: string): Promise<string> =>
    raw(port, `GET ${target} HTTP/1.1\r\nHost: open.example\r\nConnection: close\r\n\r\n`);
  assert.match(await ask("http://secret.example/a"), /^HTTP\/1.1 403/);
  assert.match(
    await ask("http://fine.example/a"),
    /"url":"\/a","headers":\{.*"host":"fine.example"/,
  );
});

test("AP-107, QK-2: a fragment is neither judged nor forwarded", async () => {
  const policies = [policy("DENY", "no-admin", { to: [{ paths: ["/admin"] }] })];
  const { port } = await stage(echo, { policies });
  for (const target of ["/admin#x", "/open#/admin"]) {
    const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    assert.match(await raw(port, request), /^HTTP\/1.1 400/, target);
  }
});

test("a big body goes up and down at the slower side's pace", async () => {
  const size = 32 * 1024 * 1024;
  const digest = (hash = createHash("sha256")): typeof hash => hash;
  const { port, entry } = await stage((incoming, response) => {
    response.writeHead(200, { "content-length": size });
    incoming.pipe(response);
  });
  const outgoing = request({
    port,
    host: LOOPBACK,
    method: "POST",
    headers: { host: "a", "content-length": size },
    createConnection: () => meshSocket(port, frontend),
  });
  const sent = digest();
  const received = digest();
  const sending = (async () => {
    for (let at = 0; at < size; at += 65_536) {
      const piece = Buffer.alloc(65_536, at % 251);
      sent.update(piece);
      if (!outgoing.write(piece)) await once(outgoing, "drain");
    }
    outgoing.end();
  })();
  const [incoming]: IncomingMessage[] = await once(outgoing, "response");
  if (incoming === undefined) throw new Error("no answer");
  await delay(50);
  let bytes = 0;
  for await (const chunk of incoming) {
    received.update(chunk);
    bytes += chunk.length;
  }
  await sending;
  assert.equal(bytes, size);
  assert.equal(received.digest("hex"), sent.digest("hex"));
  const written = await entry();
  assert.equal(written.bytes_received, size);
  assert.equal(written.bytes_sent, size);
});

test("an application that stopped answers with 503 and UF", async () => {
  const { port, application, entry } = await stage(echo);
  application.closeAllConnections();
  application.close();
  await once(application, "close");
  assert.equal((await call(port)).status, 503);
  const written = await entry();
  assert.equal(written.response_flags, "UF");
  assert.match(written.upstream_transport_failure_reason ?? "", /ECONNREFUSED/);
});

test("an application that hangs up before its answer gives 503 and UC, and the request is not repeated", async () => {
  let requests = 0;
  const { port, entry } = await stage((incoming) => {
    requests++;
    incoming.socket.destroy();
  });
  assert.equal((await call(port)).status, 503);
  assert.equal((await entry()).response_flags, "UC");
  assert.equal(requests, 1);
});

test("an application that hangs up in the middle of its answer breaks the caller's answer too", async () => {
  const { port, entry } = await stage((incoming, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("part", () => incoming.socket.destroy());
  });
  await assert.rejects(call(port));
  const written = await entry();
  assert.equal(written.response_flags, "UC");
  assert.equal(written.response_code, 200);
});

for (const [method, body, expected] of [
  ["GET", undefined, 200],
  ["POST", undefined, 503],
  ["PUT", "x", 503],
] as const) {
  test(`on a dead idle connection a ${method} with ${body === undefined ? "no" : "a"} body gives ${expected}`, async () => {
    const sockets = new Set<Socket>();
    const { port } = await stage((incoming, response) => {
      const seenBefore = sockets.has(incoming.socket);
      sockets.add(incoming.socket);
      if (seenBefore) incoming.socket.destroy();
      else response.end("ok");
    });
    assert.equal((await call(port)).status, 200);
    await delay(20);
    const { status } = await call(port, { method, ...(body === undefined ? {} : { body }) });
    assert.equal(status, expected);
  });
}

test("a caller that leaves takes the application's work with it", async () => {
  const closed: string[] = [];
  const { port, entry } = await stage((incoming, response) => {
    response.write("begin");
    incoming.socket.once("close", () => closed.push("closed"));
  });
  const socket = connect({ port, host: LOOPBACK });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  socket.destroy();
  await eventually("the application's connection to close", () => closed.length > 0);
  assert.equal((await entry()).response_flags, "DC");
});

test("100 Continue is sent only once the request is allowed", async () => {
  const policies = [policy("DENY", "no-admin", { to: [{ paths: ["/admin"] }] })];
  const { port } = await stage(
    async (incoming, response) => {
      let text = "";
      for await (const chunk of incoming) text += chunk;
      response.end(text);
    },
    { policies },
  );
  const head = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`;
  assert.match(
    await raw(port, head("/")),
    /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[\s\S]*hello$/,
  );
  assert.match(await raw(port, head("/admin")), /^HTTP\/1.1 403/);
});

test("chunked bodies, HEAD and answers without a length keep their framing", async () => {
  const { port } = await stage((incoming, response) => {
    if (incoming.method === "HEAD") response.writeHead(200, { "content-length": "7" }).end();
    else incoming.pipe(response);
  });
  const { body, headers } = await call(port, {
    method: "POST",
    body: "hello",
    headers: { "transfer-encoding": "chunked" },
  });
  assert.equal(body, "hello");
  assert.equal(headers["transfer-encoding"], "chunked");
  assert.equal((await call(port, { method: "HEAD" })).headers["content-length"], "7");
});

for (const [protocol, passed] of [
  ["websocket", true],
  ["h2c", false],
] as const) {
  test(`QK-14: an upgrade to ${protocol} is ${passed ? "" : "not "}passed on; an application that does not grant it answers`, async () => {
    const { port } = await stage(echo);
    const { status, body } = await call(port, {
      headers: { connection: "upgrade", upgrade: protocol },
    });
    assert.equal(status, 200);
    assert.equal("upgrade" in JSON.parse(body).headers, passed);
  });
}

test("a WebSocket of a peer that no root vouches for any more is cut", async () => {
  const { port, views, view, application } = await stage(echo, { mode: "STRICT" });
  const upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  application.on("upgrade", (_incoming, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}`);
    socket.on("error", () => socket.destroy()).pipe(socket);
  });
  const socket = meshSocket(port, frontend);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}`);
  await eventually("the upgrade", () => seen.includes("101 Switching"));
  socket.write("hello");
  await eventually("its echo", () => seen.endsWith("hello"));
  const closed = once(socket, "close");
  views.set(view({ mode: "STRICT", rootsPem: [createThrowawayAuthority().rootPem] }));
  await closed;
});

test("a new certificate serves new connections; the open one goes on", async () => {
  const { port, svid } = await stage(echo, { mode: "STRICT" });
  const socket = meshSocket(port, frontend);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  const ask = async (): Promise<void> => {
    seen = "";
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually("an answer", () => seen.startsWith("HTTP/1.1 200"));
  };
  await ask();
  const renewed = mesh.svid(idOf("api"));
  svid.set(renewed);
  await ask();
  const fresh = connectTls({ port, host: LOOPBACK, rejectUnauthorized: false });
  await once(fresh, "secureConnect");
  assert.equal(fresh.getPeerX509Certificate()?.serialNumber, renewed.serialNumber);
  assert.notEqual(renewed.serialNumber, api.serialNumber);
  fresh.destroy();
  socket.destroy();
});

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: LOOPBACK });
  const opened = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  socket.destroy();
  return opened;
}

async function waitUntil(port: number, wanted: "open" | "closed"): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await isOpen(port)) === (wanted === "open")) return;
    await delay(10);
  }
  assert.fail(`port ${port} never became ${wanted}`);
}

test("ports come and go with the view; what is under way ends in peace", async () => {
  const waiting: ServerResponse[] = [];
  const { application, port, views, view, sidecar } = await stage((_incoming, response) => {
    waiting.push(response);
  });
  const arrival = (): Promise<ServerResponse> => eventually("a request", () => waiting.pop());
  const second = await freePort();
  const settings = {
    listen: second,
    application: portOf(application),
    mode: "PERMISSIVE",
  } as const;
  views.set(view({ ports: [...view().inbound.ports, inboundPort(settings)] }));
  await waitUntil(second, "open");
  const onSecond = call(second);
  const answerOnSecond = await arrival();
  views.set(view());
  await waitUntil(second, "closed");
  answerOnSecond.end("late");
  assert.equal((await onSecond).body, "late");
  const onFirst = call(port);
  const answerOnFirst = await arrival();
  const closing = sidecar.close();
  await waitUntil(port, "closed");
  answerOnFirst.end("late");
  assert.equal((await onFirst).body, "late");
  await closing;
});
