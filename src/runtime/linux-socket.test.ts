import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  connectFrom,
  decodeAddress,
  encodeAddress,
  LinuxSocketError,
  originalDestination,
  requireLinuxSockets,
} from "./linux-socket.ts";

const onLinux = process.platform === "linux" ? false : "Linux only";
const loopbackAddresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
const withIpv6 =
  onLinux || (loopbackAddresses.some(({ address }) => address === "::1") ? false : "no IPv6 here");

const v4 = fc.ipV4();
const v6 = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });

test("an address survives the kernel's form", { skip: onLinux }, () => {
  const address = fc.oneof(
    v4,
    v6.map((groups) => groups.map((group) => group.toString(16)).join(":")),
  );
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (text, port) => {
      const read = decodeAddress(encodeAddress({ address: text, port }));
      assert.ok(read);
      assert.deepEqual(encodeAddress(read), encodeAddress({ address: text, port }));
      assert.equal(read.port, port);
    }),
  );
});

test("the kernel's form is read byte by byte", { skip: onLinux }, () => {
  const ipv4 = Buffer.from(`02001f900af40005${"00".repeat(8)}`, "hex");
  assert.deepEqual(decodeAddress(ipv4), { address: "10.244.0.5", port: 8080 });
  const ipv6 = Buffer.from(
    `0a001f9000000000fd0000100244${"00".repeat(9)}05${"00".repeat(4)}`,
    "hex",
  );
  assert.deepEqual(decodeAddress(ipv6), { address: "fd00:10:244::5", port: 8080 });
});

for (const [what, hex] of [
  ["nothing", ""],
  ["no family", "0000".padEnd(56, "0")],
  ["another family", "0100".padEnd(56, "0")],
  ["half an IPv4 address", "02001f900a"],
  ["half an IPv6 address", `0a001f90${"00".repeat(12)}`],
] as const) {
  test(`${what} is no address`, { skip: onLinux }, () => {
    assert.equal(decodeAddress(Buffer.from(hex, "hex")), undefined);
  });
}

for (const host of ["127.0.0.1", "::1"] as const) {
  test(`a connection to ${host} carries bytes both ways, and knows its source`, {
    skip: host === "::1" ? withIpv6 : onLinux,
  }, async () => {
    const { server, port } = await echoServer(host);
    const sourceAddress = host === "::1" ? "::1" : "127.0.0.6";
    const accepted = once(server, "connection");
    const socket = connectFrom({ address: host, port }, { sourceAddress });
    const [peer]: Socket[] = await accepted;
    assert.equal(peer?.remoteAddress, sourceAddress);
    socket.end("over and back");
    assert.equal(await textOf(socket), "over and back");
    server.close();
  });
}

test("a port that nobody listens on is told by an error", { skip: onLinux }, async () => {
  const { server, port } = await echoServer("127.0.0.1");
  server.close();
  await once(server, "close");
  const socket = connectFrom({ address: "127.0.0.1", port }, { sourceAddress: "127.0.0.6" });
  await assert.rejects(once(socket, "connect"), { code: "ECONNREFUSED" });
});

test("what cannot be made leaves no descriptor behind", { skip: onLinux }, async () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const impossible = [
    ["192.0.2.77", /come from 192\.0\.2\.77 \(errno \d+\)/],
    ["::1", /come from ::1 \(errno \d+\)/],
    ["nonsense", /not an IP address/],
  ] as const;
  assert.throws(() => connectFrom({ address: "api", port: 1 }, {}), LinuxSocketError);
  const before = open();
  for (const [sourceAddress, problem] of impossible) {
    assert.throws(
      () => connectFrom({ address: "127.0.0.1", port: 1 }, { sourceAddress }),
      (error) => error instanceof LinuxSocketError && problem.test(error.message),
    );
  }
  assert.equal(open(), before);
});

test("a connection given up at once leaves no descriptor behind", { skip: onLinux }, async () => {
  const { server, port } = await echoServer("127.0.0.1");
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  const sockets = Array.from({ length: 20 }, () =>
    connectFrom({ address: "127.0.0.1", port }, { sourceAddress: "127.0.0.6" }),
  );
  assert.equal(open(), before + sockets.length);
  await Promise.all(sockets.map((socket) => once(socket.destroy(), "close")));
  server.close();
  await once(server, "close");
  assert.ok(open() < before);
});

test("what is required leaves no descriptor behind", { skip: onLinux }, () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  requireLinuxSockets();
  const before = open();
  requireLinuxSockets();
  assert.equal(open(), before);
});

test("without the capability a mark is refused in words", { skip: onLinux }, () => {
  const program = `import { requireLinuxSockets } from ${JSON.stringify(resolve("src/runtime/linux-socket.ts"))};
    process.setgid?.(65534);
    process.setuid?.(65534);
    requireLinuxSockets({ mark: 1337 });`;
  const asAnybody = process.getuid?.() === 0 ? program : program.replace(/process\.set.*/g, "");
  const flags = ["--import", "tsx", "--input-type=module", "--eval", asAnybody];
  const { stderr, status } = spawnSync(process.execPath, flags, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /LinuxSocketError: the kernel refuses to mark a socket \(errno 1\)/);
});

test("a connection that left has no original destination", { skip: onLinux }, async () => {
  const { server, port } = await echoServer("127.0.0.1");
  const accepted = once(server, "connection");
  const client = connect(port, "127.0.0.1");
  const [socket]: Socket[] = await accepted;
  assert.ok(socket);
  const told = originalDestination(socket);
  assert.ok(told === undefined || told.port === port, "it was not redirected");
  client.destroy();
  await once(socket, "close");
  assert.equal(originalDestination(socket), undefined);
  server.close();
});

async function echoServer(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await once(server.listen(0, host), "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return { server, port: address.port };
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
