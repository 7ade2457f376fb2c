import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { freePort } from "../../../test/kit/free-port.ts";
import { type RecordedLog, recordedLog } from "../../../test/kit/recorded-log.ts";
import { parseCidr } from "../../api/cidr.ts";
import { dnsFailure } from "../../runtime/dns-envelope.ts";
import { frameDnsMessage, readDnsMessages } from "../../runtime/dns-stream.ts";
import { readFirstLine } from "../../runtime/first-line.ts";
import { ListenError } from "../../runtime/listen-error.ts";
import { HostGate } from "./host-gate.ts";
import type { PublishedPort } from "./host-side.ts";

const folder = await mkdtemp(join(tmpdir(), "hauberk-gate-test-"));
const closing: (() => unknown)[] = [];
after(async () => {
  await Promise.all(closing.map((close) => close()));
  await rm(folder, { recursive: true });
});

const LOOPBACK = parseCidr("127.0.0.1/32");
const LIMITS = { maxBytes: 100, timeoutMs: 10_000 };
let gates = 0;

interface Opened {
  readonly gate: HostGate;
  readonly egressSocket: string;
  readonly ingressSocket: string;
  readonly log: RecordedLog;
}

async function openGate(loopback: "refused" | "allowed" = "allowed"): Promise<Opened> {
  const name = String(++gates);
  const egressSocket = join(folder, `${name}.egress`);
  const ingressSocket = join(folder, `${name}.ingress`);
  const log = recordedLog();
  const gate = await HostGate.open({
    egressSocket,
    ingressSocket,
    ...(loopback === "allowed" && LOOPBACK && { allowed: [LOOPBACK] }),
    resolver: { resolve: async (query) => dnsFailure(query, "NXDOMAIN") },
    log,
  });
  closing.push(() => gate.close());
  return { gate, egressSocket, ingressSocket, log };
}

async function serve(at: number | string, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    accept(socket.on("error", () => {})),
  );
  if (typeof at === "string") await once(server.listen(at), "listening");
  else await once(server.listen(at, "127.0.0.1"), "listening");
  closing.push(() => server.close());
  return server;
}

async function dial(at: number | string): Promise<Socket> {
  const options = typeof at === "string" ? { path: at } : { port: at, host: "127.0.0.1" };
  const socket = connect({ ...options, allowHalfOpen: true });
  closing.push(() => socket.destroy());
  await once(socket, "connect");
  return socket.on("error", () => {});
}

/** Everything until the other side is done; the socket can still be written to then. */
async function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  await ended(socket.resume());
  return text;
}

function ended(socket: Socket): Promise<unknown> {
  return Promise.race([once(socket, "end"), once(socket, "close")]);
}

/** Says what it heard once the other side is done: it needs half-closing. */
async function echoLater(socket: Socket): Promise<void> {
  socket.end(`heard ${await textOf(socket)}`);
}

test("the sockets are closed to other users of the machine", async () => {
  const { egressSocket } = await openGate();
  assert.equal((await stat(egressSocket)).mode & 0o777, 0o600);
});

test("a connection is made, and each direction ends on its own", async () => {
  const { egressSocket } = await openGate();
  const port = await freePort();
  await serve(port, (socket) => void echoLater(socket));
  const client = await dial(egressSocket);
  client.write(`CONNECT 127.0.0.1 ${port}\nright behind, `);
  assert.equal(await readFirstLine(client, LIMITS), "OK");
  client.end("and later");
  assert.equal(await textOf(client), "heard right behind, and later");
});

test("megabytes pass both ways, at the pace of the slower side", async () => {
  const { egressSocket } = await openGate();
  const port = await freePort();
  await serve(port, (socket) => void socket.pipe(socket));
  const client = await dial(egressSocket);
  client.write(`CONNECT 127.0.0.1 ${port}\n`);
  assert.equal(await readFirstLine(client, LIMITS), "OK");
  const bytes = Buffer.alloc(8 * 1024 * 1024, "0123456789");
  client.end(bytes);
  const received: Buffer[] = [];
  for await (const chunk of client) received.push(chunk as Buffer);
  assert.ok(Buffer.concat(received).equals(bytes));
});

test("a target that resets cuts the caller, and a caller that leaves the target", async () => {
  const { egressSocket } = await openGate();
  const port = await freePort();
  const targets: Socket[] = [];
  await serve(port, (socket) => void targets.push(socket));
  for (const cut of ["target", "caller"] as const) {
    const client = await dial(egressSocket);
    client.write(`CONNECT 127.0.0.1 ${port}\n`);
    await readFirstLine(client, LIMITS);
    const target = await eventually("the connection", () => targets.shift());
    const [cutter, other] = cut === "target" ? [target, client] : [client, target];
    const closed = ended(other.resume());
    if (cut === "target") cutter.resetAndDestroy();
    else cutter.destroy();
    await closed;
  }
});

const answers: [line: string, answer: RegExp][] = [
  ["CONNECT 127.0.0.1 80", /^FAILED refused-loopback\n$/],
  ["CONNECT ::ffff:127.0.0.1 80", /^FAILED refused-loopback\n$/],
  ["CONNECT 10.244.0.1 15012", /^FAILED refused-mesh-address\n$/],
  ["CONNECT localhost 80", /^FAILED malformed-address\n$/],
  ["CONNECT 127.0.0.1 99999", /^$/],
  ["GET / HTTP/1.1", /^$/],
  ["x".repeat(300), /^$/],
];
for (const [line, answer] of answers) {
  test(`"${line.slice(0, 40)}" gets ${answer}`, async () => {
    const { egressSocket } = await openGate("refused");
    const client = await dial(egressSocket);
    client.write(`${line}\n`);
    assert.match(await textOf(client), answer);
  });
}

test("a target where nobody listens is told", async () => {
  const { egressSocket } = await openGate();
  const client = await dial(egressSocket);
  client.write(`CONNECT 127.0.0.1 ${await freePort()}\n`);
  assert.equal(await textOf(client), "FAILED ECONNREFUSED\n");
});

test("after DNS, queries of one connection are resolved", async () => {
  const { egressSocket } = await openGate();
  const client = await dial(egressSocket);
  const replies: Buffer[] = [];
  readDnsMessages(client, (reply) => replies.push(reply));
  const query = Buffer.from("00070100000100000000000001610000010001", "hex");
  client.write(Buffer.concat([Buffer.from("DNS\n"), frameDnsMessage(query)]));
  client.end(frameDnsMessage(query));
  await once(client, "end");
  assert.deepEqual(replies, Array(2).fill(dnsFailure(query, "NXDOMAIN")));
});

/** Stands for the gateway: takes what is asked of service `shop/api`, and nothing else. */
async function gatewayAt(path: string): Promise<string[]> {
  const lines: string[] = [];
  await serve(path, async (socket) => {
    const line = await readFirstLine(socket, LIMITS).catch(() => "cut before it spoke");
    lines.push(line);
    if (!line.startsWith("CONNECT shop/api ")) return void socket.end("FAILED unknown-service\n");
    socket.write("OK\n");
    await echoLater(socket);
  });
  return lines;
}

function published(service: string, listenPort: number, port = 80): PublishedPort {
  return { service, port, listen: { address: "127.0.0.1", port: listenPort } };
}

async function call(port: number, text: string): Promise<string> {
  const client = await dial(port);
  client.end(text);
  return textOf(client);
}

test("a published port leads to its service, until it is published no more", async () => {
  const { gate, ingressSocket } = await openGate();
  const lines = await gatewayAt(ingressSocket);
  const [a, b] = [await freePort(), await freePort()];
  const both = [published("shop/api", a), published("shop/api", b, 8080)];
  assert.deepEqual(await gate.publish(both), both);
  assert.equal(await call(a, "one"), "heard one");
  assert.equal(await call(b, "two"), "heard two");
  assert.deepEqual(lines, ["CONNECT shop/api 80", "CONNECT shop/api 8080"]);
  const standing = await dial(a);
  const cut = ended((await dial(b)).resume());
  await gate.publish(both.slice(0, 1));
  await cut;
  await assert.rejects(dial(b), /ECONNREFUSED/);
  standing.end("still here");
  assert.equal(await textOf(standing), "heard still here");
});

test("a port may lead to another service than before", async () => {
  const { gate, ingressSocket } = await openGate();
  const lines = await gatewayAt(ingressSocket);
  const port = await freePort();
  await gate.publish([published("shop/old", port)]);
  await gate.publish([published("shop/api", port)]);
  assert.equal(await call(port, "hello"), "heard hello");
  assert.deepEqual(lines, ["CONNECT shop/api 80"]);
});

test("a port that cannot be had says why, and is tried again the next time", async () => {
  const { gate, ingressSocket } = await openGate();
  await gatewayAt(ingressSocket);
  const [free, taken] = [await freePort(), await freePort()];
  const holder = await serve(taken, () => {});
  const ports = [
    published("shop/api", free),
    published("shop/api", taken),
    published("shop/web", free),
  ];
  const [first, second, third] = await gate.publish(ports);
  assert.equal(first?.problem, undefined);
  assert.match(second?.problem ?? "", /EADDRINUSE/);
  assert.match(third?.problem ?? "", /shop\/api/);
  await new Promise((resolve) => holder.close(resolve));
  const [, now] = await gate.publish(ports);
  assert.equal(now?.problem, undefined);
  assert.equal(await call(taken, "at last"), "heard at last");
});

test("a port that cannot be had is offered elsewhere, where it says so, and stays there", async () => {
  const { gate, ingressSocket } = await openGate();
  await gatewayAt(ingressSocket);
  const [taken, second, third] = [await freePort(), await freePort(), await freePort()];
  const holder = await serve(taken, () => {});
  const at = (port: number): PublishedPort["listen"] => ({ address: "127.0.0.1", port });
  const edge = { ...published("shop/api", taken), otherwise: at(second) };
  const other = { ...published("shop/web", taken), otherwise: at(third) };
  const offered = [published("shop/api", second), published("shop/web", third)];
  assert.deepEqual(await gate.publish([edge, other]), offered);
  assert.equal(await call(second, "hello"), "heard hello");
  const standing = await dial(second);
  await new Promise((resolve) => holder.close(resolve));
  const [again] = await gate.publish([edge]);
  assert.deepEqual(again, published("shop/api", second));
  standing.end("still here");
  assert.equal(await textOf(standing), "heard still here");
  await gate.publish([]);
  await assert.rejects(dial(second), /ECONNREFUSED/);
});

test("a port that can be had is offered there, and nowhere else", async () => {
  const { gate } = await openGate();
  const [first, second] = [await freePort(), await freePort()];
  const edge = {
    ...published("shop/api", first),
    otherwise: { address: "127.0.0.1", port: second },
  };
  assert.deepEqual(await gate.publish([edge]), [published("shop/api", first)]);
  await assert.rejects(dial(second), /ECONNREFUSED/);
});

test("changes that come at once are made one after the other: the last one holds", async () => {
  const { gate } = await openGate();
  const [a, b] = [await freePort(), await freePort()];
  await Promise.all([
    gate.publish([published("shop/api", a)]),
    gate.publish([published("shop/api", a), published("shop/api", b)]),
    gate.publish([published("shop/api", b)]),
  ]);
  await assert.rejects(dial(a), /ECONNREFUSED/);
  await dial(b);
});

test("where the gateway refuses, or is not there, the caller is reset; its absence is told once", async () => {
  const { gate, ingressSocket, log } = await openGate();
  const port = await freePort();
  await gate.publish([published("shop/none", port)]);
  const reset = async (): Promise<void> => {
    const client = await dial(port);
    const [error] = (await once(client, "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNRESET");
  };
  await reset();
  await reset();
  await gatewayAt(ingressSocket);
  await reset();
  assert.equal(log.find("the gateway takes no connections").length, 1);
});

test("what is closed listens no more, and cuts what was open", async () => {
  const { gate, egressSocket, ingressSocket } = await openGate();
  await gatewayAt(ingressSocket);
  const port = await freePort();
  await gate.publish([published("shop/api", port)]);
  const [inside, outside] = [await dial(egressSocket), await dial(port)];
  const cut = Promise.all([ended(inside.resume()), ended(outside.resume())]);
  await gate.close();
  await cut;
  await assert.rejects(dial(port), /ECONNREFUSED/);
});

test("a path where no socket can be made is told", async () => {
  const options = { ingressSocket: join(folder, "none"), log: recordedLog() };
  const egressSocket = join(folder, "no", "such", "folder");
  await assert.rejects(HostGate.open({ ...options, egressSocket }), ListenError);
});
