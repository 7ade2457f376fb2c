/**
 * A port of the loopback that was free for UDP and TCP a moment ago. It lies where the system takes no ports for outgoing
 * connections, and where no mesh leases its own, so that hardly anything else takes it before the test does.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const LOWEST = 10_240;
const HIGHEST = 19_999;
const ATTEMPTS = 100;
const LOOPBACK = "127.0.0.1";

/** Never the same one twice in a process. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port from ${LOWEST} to ${HIGHEST} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const socket = createSocket("udp4");
  try {
    await once(server.listen(port, LOOPBACK), "listening");
    await once(socket.bind(port, LOOPBACK), "listening");
    return true;
  } catch {
    return false; // somebody has it
  } finally {
    await Promise.all([
      new Promise<void>((resolve) => socket.close(() => resolve())),
      new Promise((resolve) => server.close(resolve)),
    ]);
  }
}
