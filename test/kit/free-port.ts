/** A port of the loopback that was free for UDP and TCP a moment ago. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  const socket = createSocket("udp4");
  try {
    await once(socket.bind(bound.port, "127.0.0.1"), "listening");
    return bound.port;
  } catch {
    return freePort(); // somebody has the UDP port: another one, then
  } finally {
    await Promise.all([
      new Promise<void>((resolve) => socket.close(() => resolve())),
      new Promise((resolve) => server.close(resolve)),
    ]);
  }
}
