/**
 * Stands before a callee's proxy as so many endpoints of it, and counts the connections that come: each is one handshake.
 * A process of its own, instructed by the port of the proxy.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { RelayOrder, RelayReport } from "./relay-messages.ts";

const LOOPBACK = "127.0.0.1";
let connections = 0;

process.on("message", (order: RelayOrder) => {
  if (order.kind === "start") void start(order);
  else tell({ kind: "count", connections });
});
process.on("disconnect", () => process.exit());

async function start({ port, endpoints }: RelayOrder & { readonly kind: "start" }): Promise<void> {
  const ports: number[] = [];
  for (let index = 0; index < endpoints; index++) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      connections += 1;
      const upstream = connect({ port, allowHalfOpen: true, noDelay: true });
      for (const socket of [client, upstream]) {
        socket.on("error", () => socket.destroy());
      }
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    await once(server.listen(0, LOOPBACK), "listening");
    ports.push((server.address() as AddressInfo).port); // it listens for TCP
  }
  tell({ kind: "listening", ports });
}

function tell(report: RelayReport): void {
  process.send?.(report);
}
