import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { platform } from "node:os";
import { type TestContext, test } from "node:test";
import { openSocketDiagnosis } from "./socket-diagnosis.ts";
import { findSocketInodes, type SocketEnds } from "./socket-table.ts";

const skip = platform() === "linux" ? false : "netlink is Linux's";

async function connection(context: TestContext, host = "127.0.0.1"): Promise<SocketEnds> {
  const server = createServer((socket) => socket.on("error", () => socket.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, host);
  await once(client, "connect");
  context.after(() => {
    client.destroy();
    server.close();
  });
  const local = { address: "127.0.0.1", port: client.localPort ?? 0 };
  return { local, remote: { address: "127.0.0.1", port } };
}

test("the kernel names the same socket as its table, for either end", { skip }, async (context) => {
  const diagnose = openSocketDiagnosis() ?? assert.fail("netlink is there");
  const ends = await connection(context);
  const table = readFileSync("/proc/net/tcp", "latin1");
  for (const end of [ends, { local: ends.remote, remote: ends.local }]) {
    const inode = diagnose(end);
    assert.equal(inode, findSocketInodes(table, [end]).get(end));
    const descriptors = Array.from({ length: 256 }, (_, fd) => linkOf(fd));
    assert.ok(descriptors.includes(`socket:[${inode}]`));
  }
});

test("a connection that is not there is absent", { skip }, async (context) => {
  const diagnose = openSocketDiagnosis() ?? assert.fail("netlink is there");
  const { local, remote } = await connection(context);
  assert.equal(diagnose({ local: { ...local, port: 1 }, remote }), "absent");
});

test("of IPv6 the kernel is not asked", { skip }, () => {
  const diagnose = openSocketDiagnosis() ?? assert.fail("netlink is there");
  const local = { address: "::1", port: 1 };
  assert.equal(diagnose({ local, remote: local }), "unknown");
});

test("an IPv4 connection of a dual-stack socket is found", { skip }, async (context) => {
  const diagnose = openSocketDiagnosis() ?? assert.fail("netlink is there");
  const { local, remote } = await connection(context, "::ffff:127.0.0.1");
  assert.match(diagnose({ local, remote }), /^\d+$/);
});

function linkOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}
