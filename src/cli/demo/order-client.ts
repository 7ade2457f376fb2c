/** Gives orders to a program of the example: the program makes the call itself and tells what came of it. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** How long a program may take to start, and a call to end. */
const PATIENCE_MS = 8_000;
const LOOK_AGAIN_MS = 20;

export type Target =
  | { readonly service: string }
  | { readonly host: string; readonly port: number };

export type Order =
  | (Target & {
      readonly call: "http";
      readonly method: string;
      readonly path: string;
      readonly authority: string;
      readonly requestId: string;
    })
  | (Target & { readonly call: "tcp"; readonly line: string; readonly keep?: string });

/** What the program saw. `localPort` is the port its own connection came from. */
export interface Outcome {
  readonly localPort?: number;
  readonly status?: number;
  readonly body?: string;
  readonly answer?: string;
  readonly error?: string;
}

interface OrderDesk {
  readonly port: number;
  readonly password: string;
}

/** @param scratch the pod's own folder, where its program says how to reach it */
export async function giveOrder(scratch: string, order: Order): Promise<Outcome> {
  const { port, password } = await findOrderDesk(scratch);
  const socket = connect({ host: "127.0.0.1", port });
  try {
    socket.write(`${JSON.stringify({ ...order, password })}\n`);
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    timeout.addEventListener("abort", () =>
      socket.destroy(new Error("the program gave no answer")),
    );
    for await (const line of createInterface({ input: socket })) return JSON.parse(line) as Outcome;
    return { error: "the program ended" };
  } finally {
    socket.destroy();
  }
}

/** Waits until the program has written where it takes orders; its folder was empty when it started. */
async function findOrderDesk(scratch: string): Promise<OrderDesk> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return JSON.parse(await readFile(join(scratch, "orders.json"), "utf8")) as OrderDesk;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(LOOK_AGAIN_MS);
  }
}
