import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { AppliedPolicy } from "../policy/workload-view.ts";

const DAY_MS = 86_400_000;
const mesh = createThrowawayAuthority();
const formerDays = createThrowawayAuthority({ now: new Date(Date.now() - 2 * DAY_MS) });
const stranger = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));

/** Answers every request alike and remembers every byte: an application that must not hear what is refused. */
class Application {
  readonly server: Server;
  received = "";
  connections = 0;
  constructor() {
    this.server = createServer((socket) => {
      this.connections++;
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => {
        this.received += chunk.toString("latin1");
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
  }
}

interface Stage extends TestSidecar {
  readonly application: Application;
  readonly port: number;
}

const stages: Stage[] = [];
after(() => Promise.all(stages.map(({ sidecar }) => sidecar.close())));

async function stage(options: {
  readonly mode: MutualTlsMode;
  readonly protocol: PortProtocol;
  readonly policies?: readonly AppliedPolicy[];
  readonly trustDomainAliases?: readonly string[];
  readonly minimumTlsVersion?: "TLSv1.2" | "TLSv1.3";
}): Promise<Stage> {
  const application = new Application();
  application.server.listen(0, LOOPBACK).unref();
  await once(application.server, "listening");
  const port = await freePort();
  const listener = { listen: port, application: portOf(application.server), ...options };
  const view = workloadView({
    ...options,
    rootsPem: [mesh.rootPem, formerDays.rootPem],
    ports: [inboundPort(listener)],
  });
  const started = { ...(await startTestSidecar({ view, svid: api })), application, port };
  stages.push(started);
  return started;
}

const REQUEST = "GET /orders HTTP/1.1\r\nHost: api:8080\r\n\r\n";

/** What a client gets to see, until the connection ends or the answer is there. */
async function conversation(socket: Socket, request: string): Promise<string> {
  let seen = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
    if (seen.endsWith("ok")) socket.destroy();
  });
  socket.write(request);
  await closed(socket);
  return seen;
}

/** `events.once` would fail for the error that comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

function plainClient(port: number): Promise<string> {
  return conversation(connect({ port, host: LOOPBACK }), REQUEST);
}

interface Credentials {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

function tlsSocket(
  port: number,
  options: { readonly credentials?: Credentials; readonly alpn?: readonly string[] },
): TLSSocket {
  const { credentials, alpn = ["istio-http/1.1", "istio", "http/1.1"] } = options;
  return connectTls({
    port,
    host: LOOPBACK,
    servername: "outbound_.8080_._.api.production.svc.cluster.local",
    ALPNProtocols: [...alpn],
    rejectUnauthorized: false,
    ...(credentials && { cert: credentials.certificateChainPem, key: credentials.privateKeyPem }),
  });
}

function tlsClient(...args: Parameters<typeof tlsSocket>): Promise<string> {
  return conversation(tlsSocket(...args), REQUEST);
}

const frontend = mesh.svid(idOf("frontend"));

for (const [protocol, mode] of [
  ["http", "STRICT"],
  ["http", "PERMISSIVE"],
  ["auto", "STRICT"],
  ["auto", "PERMISSIVE"],
  ["tcp", "STRICT"],
  ["tcp", "PERMISSIVE"],
] as const) {
  test(`a mesh client reaches a ${protocol} port under ${mode}, and is known by its identity`, async () => {
    const { application, port, entry } = await stage({ mode, protocol });
    assert.match(await tlsClient(port, { credentials: frontend }), /200 OK/);
    assert.match(application.received, /GET \/orders/);
    const written = await entry();
    assert.equal(written.source_principal, idOf("frontend"));
    assert.equal(written.destination_principal, idOf("api"));
    assert.equal(written.source_certificate_serial, frontend.serialNumber);
    assert.equal(written.protocol, protocol === "tcp" ? "TCP" : "HTTP/1.1");
    assert.equal(
      written.requested_server_name,
      "outbound_.8080_._.api.production.svc.cluster.local",
    );
  });
}

for (const protocol of ["http", "auto", "tcp"] as const) {
  for (const mode of ["PERMISSIVE", "DISABLE"] as const) {
    test(`plaintext is served on a ${protocol} port under ${mode}, without an identity`, async () => {
      const { application, port, entry } = await stage({ mode, protocol });
      assert.match(await plainClient(port), /200 OK/);
      assert.match(application.received, /GET \/orders/);
      const written = await entry();
      assert.equal(written.source_principal, null);
      assert.equal(written.destination_principal, null);
    });
  }

  test(`PA-37: plaintext ends without a byte on a ${protocol} port under STRICT`, async () => {
    const { application, port, entry } = await stage({ mode: "STRICT", protocol });
    assert.equal(await plainClient(port), "");
    const written = await entry();
    assert.equal(written.response_flags, "NR");
    assert.equal(written.response_code_details, "filter_chain_not_found");
    assert.equal(written.decision?.reason.because, "plaintext-refused");
    assert.equal(application.connections, 0);
  });

  if (protocol === "tcp") continue;
  test(`PA-36: a mesh client's TLS ends without a byte on a ${protocol} port under DISABLE`, async () => {
    const { application, port, entry } = await stage({ mode: "DISABLE", protocol });
    assert.equal(await tlsClient(port, { credentials: frontend }), "");
    const written = await entry();
    assert.equal(written.response_flags, "NR");
    assert.equal(written.decision?.reason.because, "tls-refused");
    assert.equal(application.connections, 0);
  });
}

const imposters: [who: string, credentials: Credentials | undefined, problem: RegExp][] = [
  ["without a certificate", undefined, /no certificate/],
  ["of another authority", stranger.svid(idOf("frontend")), /not trusted/],
  ["of a foreign trust domain (TLS-4)", mesh.svid("spiffe://else.where/ns/a/sa/b"), /foreign/],
  [
    "with a certificate that names no workload",
    mesh.serverCertificate(),
    /no URI name|not trusted/,
  ],
  ["with an expired certificate (QK-28)", formerDays.svid(idOf("frontend")), /CERT_HAS_EXPIRED/],
];
for (const [who, credentials, problem] of imposters) {
  for (const mode of ["STRICT", "PERMISSIVE"] as const) {
    test(`a client ${who} is refused under ${mode} before the application hears of it`, async () => {
      const { application, port, entry } = await stage({ mode, protocol: "http" });
      const seen = await tlsClient(port, credentials === undefined ? {} : { credentials });
      assert.equal(seen, "");
      const { decision, source_principal } = await entry();
      const reason = decision?.reason;
      assert.match(reason?.because === "peer-not-verified" ? reason.problem : "", problem);
      assert.equal(source_principal, null);
      assert.equal(application.connections, 0);
    });
  }
}

test("TLS-4: a peer of an alias of the trust domain is accepted", async () => {
  const { port } = await stage({
    mode: "STRICT",
    protocol: "http",
    trustDomainAliases: ["old.mesh"],
  });
  const credentials = mesh.svid("spiffe://old.mesh/ns/production/sa/frontend");
  assert.match(await tlsClient(port, { credentials }), /200 OK/);
});

for (const [protocol, alpn] of [
  ["auto", []],
  ["auto", ["h2", "http/1.1"]],
  ["tcp", []],
  ["tcp", ["istio-http/1.1", "istio", "http/1.1"]],
] as const) {
  test(`PA-36: under DISABLE TLS of [${alpn}] is the application's own on a ${protocol} port`, async () => {
    const { application, port, entry } = await stage({ mode: "DISABLE", protocol });
    await tlsClient(port, { alpn });
    assert.equal(application.received.charCodeAt(0), 22);
    const written = await entry();
    assert.deepEqual([written.protocol, written.source_principal], ["TCP", null]);
  });
}

for (const protocol of ["auto", "tcp"] as const) {
  test(`PA-38: TLS without a mesh protocol goes through unopened on a ${protocol} port under PERMISSIVE`, async () => {
    const { application, port } = await stage({ mode: "PERMISSIVE", protocol });
    const socket = tlsSocket(port, { credentials: frontend, alpn: ["h2"] });
    socket.on("error", () => socket.destroy());
    await closed(socket);
    assert.equal(application.received.charCodeAt(0), 22);
  });
}

for (const [what, rejected] of [
  ["an ALLOW of other paths", policy("ALLOW", "paths", { to: [{ paths: ["/admin"] }] })],
  ["a DENY of the path", policy("DENY", "paths", { to: [{ paths: ["/orders"] }] })],
] as const) {
  test(`HTTP rules hold on a port declared http2, whatever is spoken: ${what}`, async () => {
    const { application, port } = await stage({
      mode: "PERMISSIVE",
      protocol: "http2",
      policies: [rejected],
    });
    const plain = connect({ port, host: LOOPBACK });
    const closing = REQUEST.replace("Host", "Connection: close\r\nHost");
    assert.doesNotMatch(await conversation(plain, closing), /200 OK/);
    const client = connectHttp2(`http://${LOOPBACK}:${port}`).on("error", () => {});
    const request = client.request({ ":path": "/orders" }).on("error", () => {});
    const status = await new Promise((resolve) => {
      request.on("response", (headers) => resolve(headers[":status"]));
      request.on("close", () => resolve("none"));
    });
    assert.ok(status === 403 || status === "none", String(status));
    client.destroy();
    assert.equal(application.connections, 0);
  });
}

test("PA-31: TLS without a mesh protocol ends on an HTTP port under PERMISSIVE", async () => {
  const { application, port, entry } = await stage({ mode: "PERMISSIVE", protocol: "http" });
  assert.equal(await tlsClient(port, { credentials: frontend, alpn: ["h2"] }), "");
  assert.equal((await entry()).decision?.reason.because, "peer-not-verified");
  assert.equal(application.connections, 0);
});

test("PA-34: under STRICT an HTTP port needs no ALPN, and raises no alert over a foreign one", async () => {
  const { port } = await stage({ mode: "STRICT", protocol: "http" });
  for (const alpn of ["acme", "istio", "http/1.1"])
    assert.match(await tlsClient(port, { credentials: frontend, alpn: [alpn] }), /200 OK/, alpn);
});

test("a TLS session is never resumed: every connection proves its identity itself", async () => {
  const { port } = await stage({ mode: "STRICT", protocol: "http" });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const dial = (session?: Buffer): TLSSocket =>
      connectTls({
        port,
        host: LOOPBACK,
        cert: frontend.certificateChainPem,
        key: frontend.privateKeyPem,
        rejectUnauthorized: false,
        maxVersion,
        ...(session && { session }),
      });
    const first = dial();
    let session: Buffer | undefined;
    first.on("session", (offered: Buffer) => {
      session = offered;
    });
    assert.match(await conversation(first, REQUEST), /200 OK/);
    const second = dial(session);
    let reused: boolean | undefined;
    second.once("secureConnect", () => {
      reused = second.isSessionReused();
    });
    assert.match(await conversation(second, REQUEST), /200 OK/);
    assert.equal(reused, false);
  }
});

test("TLS-10: the mesh's minimum TLS version is demanded", async () => {
  const { application, port } = await stage({
    mode: "STRICT",
    protocol: "http",
    minimumTlsVersion: "TLSv1.3",
  });
  const { certificateChainPem: cert, privateKeyPem: key } = frontend;
  const dial = (maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<string> =>
    conversation(
      connectTls({ port, host: LOOPBACK, cert, key, rejectUnauthorized: false, maxVersion }),
      REQUEST,
    );
  assert.equal(await dial("TLSv1.2"), "");
  assert.equal(application.connections, 0);
  assert.match(await dial("TLSv1.3"), /200 OK/);
});

test("AP-133: a denied TCP connection ends before the application is dialled", async () => {
  const { application, port, entry } = await stage({
    mode: "STRICT",
    protocol: "tcp",
    policies: [
      policy("ALLOW", "only-batch", {
        from: [{ principals: ["cluster.local/ns/production/sa/batch"] }],
      }),
    ],
  });
  assert.equal(await tlsClient(port, { credentials: frontend }), "");
  const written = await entry();
  assert.equal(written.connection_termination_details, "rbac_access_denied_matched_policy[none]");
  assert.equal(written.source_principal, idOf("frontend"));
  assert.equal(application.connections, 0);
});

test("PA-41: a server that speaks first is heard on a plaintext TCP port", async () => {
  const greeter = createServer((socket) => socket.end("220 hello"))
    .listen(0, LOOPBACK)
    .unref();
  await once(greeter, "listening");
  const port = await freePort();
  const listener = {
    listen: port,
    application: portOf(greeter),
    protocol: "tcp",
    mode: "DISABLE",
  } as const;
  const view = workloadView({
    rootsPem: [mesh.rootPem, formerDays.rootPem],
    ports: [inboundPort(listener)],
  });
  const { sidecar } = await startTestSidecar({ view, svid: api });
  const socket = connect({ port, host: LOOPBACK });
  const [greeting] = await once(socket, "data");
  assert.equal(String(greeting), "220 hello");
  socket.destroy();
  await sidecar.close();
});

for (const [protocol, text] of [
  ["tcp", "a whole message"],
  ["auto", "a whole message"],
  ["auto", "GE"],
] as const) {
  test(`"${text}" and an end reach the application of a plaintext ${protocol} port, and its answer comes back`, async () => {
    const answering = createServer({ allowHalfOpen: true }, (socket) => {
      let heard = "";
      socket.on("data", (chunk) => {
        heard += chunk;
      });
      socket.on("end", () => socket.end(heard.toUpperCase()));
    });
    answering.listen(0, LOOPBACK).unref();
    await once(answering, "listening");
    const port = await freePort();
    const application = portOf(answering);
    const listener = inboundPort({ listen: port, application, protocol, mode: "PERMISSIVE" });
    const view = workloadView({ rootsPem: [mesh.rootPem], ports: [listener] });
    const { sidecar } = await startTestSidecar({ view, svid: api });
    const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true });
    socket.end(text);
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    assert.equal(answer, text.toUpperCase());
    await sidecar.close();
  });
}
