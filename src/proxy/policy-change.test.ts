import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer as createHttpServer, request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
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
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { TrustedRoots } from "./trusted-roots.ts";

const CUT_WITHIN_MS = 1_000;
const mesh = createThrowawayAuthority();
const otherMesh = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));
const frontend = mesh.svid(idOf("frontend"));
const database = mesh.svid(idOf("database"));

type ViewChange = Partial<ViewOptions> & { readonly mode?: MutualTlsMode };

interface Stage extends TestSidecar {
  readonly port: number;
  view(change?: ViewChange): WorkloadView;
}

const sidecars: TestSidecar[] = [];
after(() => Promise.all(sidecars.map(({ sidecar }) => sidecar.close())));

async function stage(
  application: Server,
  options: ViewChange & { readonly protocol: PortProtocol },
): Promise<Stage> {
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const view: Stage["view"] = (change = {}) => {
    const { mode = "PERMISSIVE", ...rest } = { ...options, ...change };
    const settings = { listen: port, application: portOf(application), mode };
    const ports = [inboundPort({ ...settings, protocol: options.protocol })];
    return workloadView({ rootsPem: [mesh.rootPem, otherMesh.rootPem], ...rest, ports });
  };
  const started = { ...(await startTestSidecar({ view: view(), svid: api })), port, view };
  sidecars.push(started);
  return started;
}

/** A connection that says something now and then, and knows whether it is heard. */
class Conversation {
  readonly socket: Socket;
  #heard = "";
  #closedAt: number | undefined;
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#heard += chunk.toString("latin1");
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#closedAt = performance.now();
    });
  }
  async say(text: string): Promise<void> {
    const before = this.#heard.length;
    this.socket.write(text, "latin1");
    await eventually(`an echo of ${text}`, () => this.#heard.slice(before) === text);
  }
  async hear(expected: RegExp): Promise<void> {
    await eventually(String(expected), () => expected.test(this.#heard));
  }
  /** Fails when it lasts longer than a change of policy may take. */
  async end(changedAt: number): Promise<void> {
    const closedAt = await eventually("the end of the connection", () => this.#closedAt);
    assert.ok(closedAt - changedAt < CUT_WITHIN_MS, `it took ${closedAt - changedAt} ms`);
  }
}

const echo = (): Server =>
  createServer((socket) => socket.on("error", () => socket.destroy()).pipe(socket));

const plainly = (port: number): Conversation => new Conversation(connect({ port, host: LOOPBACK }));

function by(
  { certificateChainPem, privateKeyPem }: typeof frontend,
  port: number,
  alpn: readonly string[] = ["istio"],
): Conversation {
  const tls = { cert: certificateChainPem, key: privateKeyPem, rejectUnauthorized: false };
  return new Conversation(connectTls({ port, host: LOOPBACK, ...tls, ALPNProtocols: [...alpn] }));
}

const from = (...names: readonly string[]): { from: [{ principals: string[] }] } => ({
  from: [{ principals: names.map((name) => `cluster.local/ns/production/sa/${name}`) }],
});
const denyFrontend = policy("DENY", "no-frontend", from("frontend"));
const allowDatabase = policy("ALLOW", "only-database", from("database"));

interface Change {
  readonly what: string;
  readonly ended: (port: number) => Conversation;
  readonly change: ViewChange;
  readonly because: string;
  readonly details: string;
}

const changes: readonly Change[] = [
  {
    what: "a DENY",
    ended: (port) => by(frontend, port),
    change: { policies: [denyFrontend] },
    because: "matched-deny",
    details: "rbac_access_denied_matched_policy[ns[production]-policy[no-frontend]-rule[0]]",
  },
  {
    what: "an ALLOW for somebody else",
    ended: (port) => by(frontend, port),
    change: { policies: [allowDatabase] },
    because: "no-allow-matched",
    details: "rbac_access_denied_matched_policy[none]",
  },
  {
    what: "STRICT on a plaintext connection",
    ended: plainly,
    change: { mode: "STRICT" },
    because: "plaintext-refused",
    details: "filter_chain_not_found",
  },
  {
    what: "the end of an alias of the trust domain",
    ended: (port) => by(mesh.svid("spiffe://old.mesh/ns/production/sa/frontend"), port),
    change: { trustDomainAliases: [] },
    because: "peer-not-verified",
    details: "peer_not_verified",
  },
  {
    what: "the end of the root that signed the peer",
    ended: (port) => by(otherMesh.svid(idOf("frontend")), port),
    change: { rootsPem: [mesh.rootPem] },
    because: "peer-not-verified",
    details: "peer_not_verified",
  },
];

for (const { what, ended, change, because, details } of changes) {
  test(`not AP-134: ${what} ends an open connection; another goes on undisturbed`, async () => {
    const { port, view, views, entries, entry } = await stage(echo(), {
      protocol: "tcp",
      trustDomainAliases: ["old.mesh"],
    });
    const [leaving, staying] = [ended(port), by(database, port)];
    await Promise.all([leaving.say("hello"), staying.say("hello")]);
    const changedAt = performance.now();
    views.set(view(change));
    await leaving.end(changedAt);
    const written = await entry();
    assert.equal(written.decision?.verdict, "deny");
    assert.equal(written.decision.reason.because, because);
    assert.equal(written.connection_termination_details, "policy changed");
    assert.equal(written.response_code_details, details);
    assert.deepEqual([written.bytes_received, written.bytes_sent], [5, 5]);
    await staying.say("still here");
    assert.equal(entries.length, 1);
    staying.socket.destroy();
    const last = await eventually("the other's entry", () => entries[1]);
    assert.equal(last.decision?.verdict, "allow");
    assert.equal(last.connection_termination_details, null);
  });
}

test("not AP-134: STRICT ends TLS that passes through unopened", async () => {
  const { port, view, views, entry } = await stage(echo(), { protocol: "tcp" });
  const opaque = connect({ port, host: LOOPBACK });
  const hello = await clientHello();
  const conversation = new Conversation(opaque);
  await conversation.say(hello);
  const changedAt = performance.now();
  views.set(view({ mode: "STRICT" }));
  await conversation.end(changedAt);
  assert.equal((await entry()).decision?.reason.because, "plaintext-refused");
});

/** As a TLS client without the mesh's protocols begins. */
async function clientHello(): Promise<string> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const client = connectTls({ port: portOf(server), host: LOOPBACK, ALPNProtocols: ["h2"] });
  client.on("error", () => client.destroy());
  const [socket]: Socket[] = await once(server, "connection");
  const [bytes] = await once(socket ?? assert.fail("no connection"), "data");
  client.destroy();
  server.close();
  return bytes.toString("latin1");
}

test("a connection whose policies change and still allow it goes on, also under a further root", async () => {
  const { port, view, views, entries } = await stage(echo(), { protocol: "tcp" });
  const conversation = by(frontend, port);
  await conversation.say("one");
  views.set(view({ policies: [policy("ALLOW", "frontend", from("frontend"))], mode: "STRICT" }));
  await conversation.say("two");
  views.set(view({ rootsPem: [createThrowawayAuthority().rootPem, mesh.rootPem] }));
  await conversation.say("three");
  assert.equal(entries.length, 0);
  conversation.socket.destroy();
});

test("an HTTP peer that no root of today vouches for is heard no more", async () => {
  let requests = 0;
  const application = createHttpServer((_incoming, response) => {
    requests++;
    response.end("ok");
  });
  const { port, view, views, entry, line } = await stage(application, { protocol: "http" });
  const { socket } = by(otherMesh.svid(idOf("frontend")), port, ["istio-http/1.1"]);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("a request", () => requests === 1);
  await entry();
  views.set(view({ rootsPem: [mesh.rootPem] }));
  await once(socket, "close");
  const { fields } = await line("HTTP connection ended by a change of trust");
  assert.equal(fields["principal"], idOf("frontend"));
  assert.match(String(fields["problem"]), /no trusted root/);
  const again = by(otherMesh.svid(idOf("frontend")), port, ["istio-http/1.1"]);
  await once(again.socket, "close");
  const refused = await entry(({ response_code }) => response_code === null);
  const { reason } = refused.decision ?? assert.fail();
  assert.ok(reason.because === "peer-not-verified");
  assert.match(reason.problem, /leads to "O=[^"]+" \(key [0-9a-f]{40}\), and trusted here is "O=/);
  assert.equal(requests, 1);
});

const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/** Says what it hears, once it has switched. */
function webSocketServer(): Server {
  return createServer((socket) => {
    socket
      .on("error", () => socket.destroy())
      .once("data", () => {
        socket.write(SWITCHED);
        socket.pipe(socket);
      });
  });
}

async function openWebSocket(conversation: Conversation, path: string): Promise<Conversation> {
  const asked = `GET ${path} HTTP/1.1\r\nHost: api:8080\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`;
  conversation.socket.write(asked);
  await conversation.hear(/^HTTP\/1\.1 101 .*\r\n\r\n$/s);
  await conversation.say("hello");
  return conversation;
}

const byPath = policy("DENY", "no-chat", { to: [{ paths: ["/chat"] }] });
const requestChanges: [
  what: string,
  change: ViewChange,
  as: typeof frontend | undefined,
  because: string,
][] = [
  ["a DENY of its path", { policies: [byPath] }, frontend, "matched-deny"],
  ["a DENY of its caller", { policies: [denyFrontend] }, frontend, "matched-deny"],
  ["an ALLOW for somebody else", { policies: [allowDatabase] }, frontend, "no-allow-matched"],
  ["STRICT on plaintext", { mode: "STRICT" }, undefined, "plaintext-refused"],
];
for (const [what, change, as, because] of requestChanges) {
  test(`not AP-134: ${what} ends a WebSocket; another goes on undisturbed`, async () => {
    const { port, view, views, entry, entries, line } = await stage(webSocketServer(), {
      protocol: "http",
    });
    const mutual = ["istio-http/1.1"];
    const leaving = await openWebSocket(
      as === undefined ? plainly(port) : by(as, port, mutual),
      "/chat",
    );
    const staying = await openWebSocket(by(database, port, mutual), "/other");
    const changedAt = performance.now();
    views.set(view(change));
    await leaving.end(changedAt);
    const written = await entry();
    assert.equal(written.decision?.verdict, "deny");
    assert.equal(written.decision.reason.because, because);
    assert.equal(written.response_code, 101);
    assert.notEqual(written.response_code_details, "via_upstream");
    assert.equal((await line("WebSocket ended by a change of policy")).fields["because"], because);
    await staying.say("still here");
    assert.equal(entries.length, 1);
    staying.socket.destroy();
  });
}

/** Answers with bytes that never end. */
function endlessServer(): Server {
  return createServer((socket) => {
    socket.on("error", () => socket.destroy());
    const beat = setInterval(() => socket.write("2\r\nab\r\n"), 100);
    socket.once("close", () => clearInterval(beat));
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  });
}

test("not AP-134: a DENY ends an answer without end within 5 s; another's goes on", async () => {
  const { port, view, views, entry, line } = await stage(endlessServer(), { protocol: "http" });
  const asked = "GET /feed HTTP/1.1\r\nHost: api:8080\r\n\r\n";
  const leaving = by(frontend, port, ["istio-http/1.1"]);
  const staying = by(database, port, ["istio-http/1.1"]);
  for (const conversation of [leaving, staying]) {
    conversation.socket.write(asked);
    await conversation.hear(/ab/);
  }
  views.set(view({ policies: [denyFrontend] }));
  await once(leaving.socket, "close");
  assert.equal((await entry()).decision?.verdict, "deny");
  assert.equal(
    (await line("HTTP request ended by a change of policy")).fields["because"],
    "matched-deny",
  );
  const before = staying.socket.bytesRead;
  await eventually("more of the other answer", () => staying.socket.bytesRead > before);
  staying.socket.destroy();
});

test("a certificate that expired on a standing connection is judged as of its last moment", () => {
  const hour = 3_600_000;
  const past = createThrowawayAuthority({ now: new Date(Date.now() - 24 * hour) });
  const svid = past.svid(idOf("frontend"), { lifetimeMs: hour });
  const leaf = new X509Certificate(svid.certificateChainPem);
  const peer = {
    id: svid.id,
    serialNumber: svid.serialNumber,
    certificateHash: leaf.fingerprint256,
    chain: [leaf],
  };
  const roots = new TrustedRoots([mesh.rootPem, past.rootPem]);
  assert.equal(roots.problemOf(peer, new Date()), undefined);
  assert.match(
    new TrustedRoots([mesh.rootPem]).problemOf(peer, new Date()) ?? "",
    /no trusted root/,
  );
});

interface Outcome {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly status: number | undefined;
}

/** 100 requests a second on one connection; every outcome, by the time it was sent. */
class SteadyCaller {
  readonly outcomes: Outcome[] = [];
  readonly localPorts = new Set<number | undefined>();
  readonly #agent: Agent;
  readonly #timer: NodeJS.Timeout;
  constructor(port: number, credentials: typeof frontend) {
    const { certificateChainPem: cert, privateKeyPem: key } = credentials;
    const tls = { cert, key, rejectUnauthorized: false, ALPNProtocols: ["istio-http/1.1"] };
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agent.createConnection = () => connectTls({ port, host: LOOPBACK, ...tls });
    this.#timer = setInterval(() => this.#send(), 10);
  }
  #send(): void {
    const sentAt = performance.now();
    const end = (status: number | undefined): void =>
      void this.outcomes.push({ sentAt, endedAt: performance.now(), status });
    const outgoing = request({ agent: this.#agent, headers: { host: "api:8080" } }).end();
    outgoing.on("error", () => end(undefined));
    outgoing.on("response", (reply) => {
      this.localPorts.add(outgoing.socket?.localPort);
      reply.resume().on("end", () => end(reply.statusCode));
    });
  }
  stop(): void {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }
  /** Of requests sent and answered in that time. */
  statusesBetween(start: number, end: number): ReadonlySet<number | undefined> {
    const chosen = this.outcomes.filter(({ sentAt, endedAt }) => sentAt >= start && endedAt < end);
    assert.ok(chosen.length >= 10, `only ${chosen.length} requests were sent`);
    return new Set(chosen.map(({ status }) => status));
  }
}

test("a DENY that comes and goes binds 100 requests a second on one connection within 1 s", async () => {
  const application = createHttpServer((_incoming, response) => response.end("ok"));
  const { port, view, views } = await stage(application, { protocol: "http", mode: "STRICT" });
  const [refused, other] = [new SteadyCaller(port, frontend), new SteadyCaller(port, database)];
  await eventually("traffic", () => refused.outcomes.length > 50 && other.outcomes.length > 50);
  const denied = performance.now();
  views.set(view({ mode: "STRICT", policies: [denyFrontend] }));
  await delay(1_500);
  const allowed = performance.now();
  views.set(view({ mode: "STRICT" }));
  await delay(1_500);
  const end = performance.now();
  refused.stop();
  other.stop();
  assert.deepEqual([...refused.statusesBetween(0, denied)], [200]);
  assert.deepEqual([...refused.statusesBetween(denied + CUT_WITHIN_MS, allowed)], [403]);
  assert.deepEqual([...refused.statusesBetween(allowed + CUT_WITHIN_MS, end)], [200]);
  assert.deepEqual([...other.statusesBetween(0, end)], [200]);
  assert.deepEqual([refused.localPorts.size, other.localPorts.size], [1, 1]);
});
