/** Gives orders to a program of the example: the program makes the call itself and tells what came of it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../../policy/workload.ts";

/** How long a program may take to start, and a call to end. */
const PATIENCE_MS = 8_000;
const LOOK_AGAIN_MS = 20;

/** A service as the mesh offers it, or an address to knock at. */
export type Target =
  | { readonly service: string }
  | { readonly host: string; readonly port: number };

export type HttpOrder = Target & {
  readonly call: "http";
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly requestId: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** On a connection that is kept open, the same for each such order. */
  readonly keep?: "open";
};

export type TcpOrder = Target & {
  readonly call: "tcp";
  readonly line: string;
  /** Names a connection that is kept open for the next order with this name. */
  readonly keep?: string;
};

/** One of the techniques of `attempts.js`. */
export interface AttemptOrder {
  readonly call: "attempt";
  readonly technique: string;
  readonly aim: Readonly<Record<string, unknown>>;
}

export type Order = HttpOrder | TcpOrder | AttemptOrder;

/** What the program saw. `localPort` is the port its own connection came from. */
export interface Outcome {
  readonly localPort?: number;
  readonly status?: number;
  readonly body?: string;
  readonly answer?: string;
  readonly error?: string;
  /** Of an attempt: what came of it, what stopped it, or what it would have needed. */
  readonly got?: string;
  readonly stopped?: string;
  readonly missing?: string;
}

export interface OrderDesk {
  /** The pod's own folder, where its program says how to reach it. */
  readonly scratch: string;
  /** Opens a connection to a port of the pod's loopback. */
  readonly connect: (address: SocketAddress) => Socket;
  /** For the program to start, and again for the call to end. */
  readonly patienceMs?: number;
}

/** A program that takes no orders, or does not say in time what came of one, is an outcome too. */
export async function giveOrder(
  { scratch, connect, patienceMs = PATIENCE_MS }: OrderDesk,
  order: Order,
): Promise<Outcome> {
  const desk = await findOrderDesk(join(scratch, "orders.json"), patienceMs);
  if (desk === undefined) return { error: "the program takes no orders" };
  const socket = connect({ address: "127.0.0.1", port: desk.port });
  const answers = createInterface({ input: socket });
  socket.on("close", () => answers.close());
  const timeout = AbortSignal.timeout(patienceMs);
  timeout.addEventListener("abort", () => socket.destroy());
  try {
    socket.write(`${JSON.stringify({ ...order, password: desk.password })}\n`);
    for await (const line of answers) return JSON.parse(line) as Outcome;
    return { error: timeout.aborted ? "the program gave no answer" : "the program ended" };
  } finally {
    socket.destroy();
  }
}

interface DeskAddress {
  readonly port: number;
  readonly password: string;
}

/** Waits until the program has written where it takes orders; its folder was empty when it started. */
async function findOrderDesk(file: string, patienceMs: number): Promise<DeskAddress | undefined> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const text = existsSync(file) ? await readFile(file, "utf8") : "";
    if (text.endsWith("}")) return JSON.parse(text) as DeskAddress;
    await delay(LOOK_AGAIN_MS);
  }
  return undefined;
}
