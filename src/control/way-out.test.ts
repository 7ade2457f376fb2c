import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseCidr } from "../api/cidr.ts";
import { HostGateExit } from "../local/network/host-gate-exit.ts";
import { silentLog } from "../runtime/log.ts";
import { wayOut } from "./way-out.ts";

describe("the control plane's way out of a mesh of network namespaces", () => {
  let folder: string;
  let server: Server;
  let port: number;
  const exits: HostGateExit[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    server = createServer((socket) => socket.end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    port = typeof bound === "object" && bound !== null ? bound.port : 0;
  });
  after(async () => {
    await Promise.all(exits.map((exit) => exit.close()));
    server.close();
    await rm(folder, { recursive: true });
  });

  async function open(name: string, ranges: readonly string[]) {
    const path = join(folder, name);
    const allowed = ranges.flatMap((text) => parseCidr(text) ?? []);
    const exit = new HostGateExit({
      path,
      allowed,
      resolve: async () => undefined,
      log: silentLog,
    });
    await exit.open();
    exits.push(exit);
    return wayOut({ egressSocket: path, nameServers: ["127.0.0.1"], inside: ["10.244.0.0/16"] });
  }

  test("leads by the host side, which says what it is connected to", async () => {
    const way = await open("open.sock", ["127.0.0.0/8"]);
    const to = { address: "127.0.0.1", port };
    const { socket, address } = await way.dial(to, AbortSignal.timeout(5_000));
    assert.equal(address, "127.0.0.1");
    assert.equal(String((await once(socket, "data"))[0]), "hello");
    socket.destroy();
  });

  test("does not lead to where the host side refuses to go", async () => {
    const way = await open("closed.sock", []);
    await assert.rejects(way.dial({ address: "127.0.0.1", port }, AbortSignal.timeout(5_000)));
  });

  test("ends when it is asked to", async () => {
    const way = await open("late.sock", ["127.0.0.0/8"]);
    await assert.rejects(way.dial({ address: "127.0.0.1", port }, AbortSignal.abort()));
  });

  test("an address needs no name server", async () => {
    const way = await open("names.sock", []);
    assert.deepEqual(await way.lookUp("203.0.113.7"), ["203.0.113.7"]);
  });
});
