/** A client on our HTTP/2 codec that is told what to ask: a URL on a line of a socket. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { FieldBlock } from "../../src/http/http2/hpack/field-block.ts";
import { carryHttp2 } from "./http2-carrier.ts";

export interface Asker {
  readonly port: number;
  close(): void;
}

export async function startAsker(): Promise<Asker> {
  const server = createServer((asking) => {
    asking.on("error", () => asking.destroy());
    createInterface({ input: asking }).once("line", (line) => ask(new URL(line), asking));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, close: () => server.close() };
}

function ask(url: URL, asking: Socket): void {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  // Whoever asked sees for itself what comes.
  socket.on("connect", () => asking.end());
  socket.on("close", () => asking.end());
  const { connection } = carryHttp2("client", socket, () => ({}));
  const block = new FieldBlock();
  block.request("GET", "http");
  block.authority(url.host);
  block.path(url.pathname);
  connection.open(block, "last", undefined);
}
