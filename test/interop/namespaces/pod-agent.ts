/**
 * Runs inside a pod's network and does what it is told, one JSON line each: listen, call over TCP, ask over UDP. Every
 * listener answers with its own port and whom it sees.
 */
import { createSocket } from "node:dgram";
import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { connectFrom } from "../../../src/runtime/linux-socket.ts";

export type AgentOrder =
  | { readonly order: "listen"; readonly port: number; readonly address: string }
  | { readonly order: "listen-udp"; readonly port: number; readonly address: string }
  | {
      readonly order: "call";
      readonly address: string;
      readonly port: number;
      readonly source?: string;
    }
  | { readonly order: "ask"; readonly address: string; readonly port: number }
  /** Opens a connection and keeps it; `say` then uses it again. */
  | { readonly order: "keep"; readonly address: string; readonly port: number }
  | { readonly order: "say" };

const WAIT_MS = 1_500;
const mark =
  process.env["AGENT_MARK"] === undefined ? undefined : Number(process.env["AGENT_MARK"]);
let kept: Socket | undefined;

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ...order } = JSON.parse(line) as AgentOrder & { id: number };
  void carryOut(order as AgentOrder).then((result) =>
    process.stdout.write(`${JSON.stringify({ id, result })}\n`),
  );
});
process.stdin.on("end", () => process.exit(0));

function carryOut(order: AgentOrder): Promise<string> {
  switch (order.order) {
    case "listen":
      return listen(order);
    case "listen-udp":
      return listenUdp(order);
    case "call":
      return firstAnswer(connect(order));
    case "ask":
      return ask(order);
    case "keep":
      kept = connect(order);
      return firstAnswer(kept, "keep");
    case "say":
      if (kept === undefined) return Promise.resolve("nothing kept");
      if (kept.destroyed) return Promise.resolve("closed"); // the end came before the question
      kept.write("again\n");
      return firstAnswer(kept, "keep");
  }
}

function listen({ port, address }: { port: number; address: string }): Promise<string> {
  const server = createServer((socket) => {
    const answer = (): boolean => socket.write(`${port} sees ${socket.remoteAddress}\n`);
    socket.on("error", () => socket.destroy());
    socket.on("data", answer);
    answer();
  });
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(String(error)));
    server.listen(port, address, () => resolve("listening"));
  });
}

function listenUdp({ port, address }: { port: number; address: string }): Promise<string> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (_data, from) => {
    socket.send(`${port} sees ${from.address}`, from.port, from.address);
  });
  return new Promise((resolve) => {
    socket.once("error", (error) => resolve(String(error)));
    socket.bind(port, address, () => resolve("listening"));
  });
}

function connect({
  address,
  port,
  source,
}: {
  address: string;
  port: number;
  source?: string;
}): Socket {
  if (mark === undefined && source === undefined) return createConnection({ host: address, port });
  return connectFrom({ address, port }, { mark, sourceAddress: source });
}

/** What the other side says first, or the code of the failure. */
function firstAnswer(socket: Socket, after: "end" | "keep" = "end"): Promise<string> {
  return new Promise((resolve) => {
    const done = (result: string): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      resolve(result);
      if (after === "end") socket.destroy();
    };
    const timer = setTimeout(() => done("silence"), WAIT_MS);
    socket.once("data", (data: Buffer) => done(data.toString().split("\n")[0] ?? ""));
    socket.once("error", (error) => done("code" in error ? String(error.code) : error.message));
    socket.once("close", () => done("closed"));
  });
}

function ask({ address, port }: { address: string; port: number }): Promise<string> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const done = (result: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => done("silence"), WAIT_MS);
    socket.once("error", (error) => done("code" in error ? String(error.code) : error.message));
    socket.once("message", (data) => done(data.toString()));
    socket.connect(port, address, () => socket.send("hello"));
  });
}
