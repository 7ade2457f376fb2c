/** Tells the agent that runs in a pod (`test/meshes/agents/agent.mjs`) what to do, through the socket in the pod's TMPDIR. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { connectUnixSocket } from "../../src/runtime/connect-unix-socket.ts";

export interface ProgramResult {
  /** Its exit code, or how it ended without one. */
  readonly code: number | string;
  readonly output: string;
  readonly errors: string;
}

/** A pod may just be starting. */
const PATIENCE_MS = 20_000;
const STEP_MS = 20;

export class PodAgent {
  readonly #socket: string;

  /** @param pod `namespace/pod` */
  constructor(data: string, pod: string) {
    this.#socket = join(data, "pods", pod, "tmp", "agent.sock");
  }

  /** Answers whoever calls these ports with the pod's host name. */
  async listen(...ports: readonly number[]): Promise<void> {
    const heard = await this.#tell({ order: "listen", ports });
    if (heard !== "listening") throw new Error(`ports ${ports}: ${heard}`);
  }

  /** TCP: what is answered, or the code of the failure, such as ECONNREFUSED. */
  async call(address: string, port: number): Promise<string> {
    return String(await this.#tell({ order: "call", address, port }));
  }

  /** As `call`, with a connection that `say` then uses again. */
  async keep(address: string, port: number): Promise<string> {
    return String(await this.#tell({ order: "keep", address, port }));
  }

  async say(): Promise<string> {
    return String(await this.#tell({ order: "say" }));
  }

  /** @returns addresses, or the code of the failure */
  async lookUp(name: string): Promise<readonly string[] | string> {
    return (await this.#tell({ order: "look-up", name })) as readonly string[] | string;
  }

  async run(...command: readonly string[]): Promise<ProgramResult> {
    return (await this.#tell({ order: "run", command })) as ProgramResult;
  }

  /** As `run`, of a command line, and of one that takes its time. */
  async runScript(script: string, timeoutMs: number): Promise<ProgramResult> {
    const command = ["sh", "-c", script];
    return (await this.#tell({ order: "run", command, timeoutMs })) as ProgramResult;
  }

  async #tell(order: { readonly order: string } & Record<string, unknown>): Promise<unknown> {
    const socket = await this.#connect();
    try {
      socket.write(`${JSON.stringify(order)}\n`);
      for await (const line of createInterface({ input: socket })) {
        return (JSON.parse(line) as { result: unknown }).result;
      }
      throw new Error(`${this.#socket} ended without an answer to ${order.order}`);
    } finally {
      socket.destroy();
    }
  }

  async #connect(): Promise<Socket> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const socket = connectUnixSocket(this.#socket);
      try {
        await once(socket, "connect");
        return socket;
      } catch (error) {
        if (performance.now() > until) throw error;
        await delay(STEP_MS);
      }
    }
  }
}
