/** An application that answers gRPC calls with what they sent, and one that sends bytes over TCP as long as they are taken. */
import { once } from "node:events";
import { createServer as createHttp2 } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { TCP_PATTERN } from "./tcp-pattern.ts";

const LOOPBACK = "127.0.0.1";
const HIGH_WATER_MARK = 1_048_576;

const grpc = createHttp2();
grpc.on("stream", (stream) => {
  const parts: Buffer[] = [];
  stream.on("error", () => undefined); // whoever called is gone
  stream.on("data", (part: Buffer) => parts.push(part));
  stream.on("end", () => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat(parts));
  });
});

const tcp = createServer({ highWaterMark: HIGH_WATER_MARK }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", () => pour(socket));
  socket.resume();
});

function pour(socket: Socket): void {
  if (socket.destroyed) return;
  while (socket.write(TCP_PATTERN));
  socket.once("drain", () => pour(socket));
}

process.on("disconnect", () => process.exit());
await Promise.all([
  once(grpc.listen(0, LOOPBACK), "listening"),
  once(tcp.listen(0, LOOPBACK), "listening"),
]);
const portOf = (address: unknown): number => (address as AddressInfo).port; // both listen for TCP
process.send?.({ grpc: portOf(grpc.address()), tcp: portOf(tcp.address()) });
