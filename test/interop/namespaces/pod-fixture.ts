/** A pod to try things on: its network, and an agent each for its application and its sidecar. */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MeshUser } from "../../../src/local/network/host-side.ts";
import type { PodNetwork } from "../../../src/local/network/mesh-fabric.ts";
import {
  APPLICATION_UID,
  SIDECAR_MARK,
  SIDECAR_UID,
} from "../../../src/local/network/mesh-ranges.ts";
import type { AgentOrder } from "./pod-agent.ts";

const AGENT = join(dirname(fileURLToPath(import.meta.url)), "pod-agent.ts");

export class Agent {
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, (result: string) => void> = new Map();
  #next = 0;

  /** @param around the command that leads into its network and its user */
  constructor(around: readonly string[], environment: Record<string, string> = {}) {
    const [program = "", ...parameters] = [...around, process.execPath, "--import", "tsx", AGENT];
    this.#child = spawn(program, parameters, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment },
    });
    if (this.#child.stdout === null) throw new Error("the agent has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const { id, result } = JSON.parse(line) as { id: number; result: string };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  tell(order: AgentOrder): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...order })}\n`);
    });
  }

  /** TCP: what is answered, or the code of the failure. */
  call(address: string, port: number, source?: string): Promise<string> {
    return this.tell({ order: "call", address, port, ...(source !== undefined && { source }) });
  }

  /** UDP. */
  ask(address: string, port: number): Promise<string> {
    return this.tell({ order: "ask", address, port });
  }

  async listen(...ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      const heard = await this.tell({ order: "listen", address: "::", port });
      if (heard !== "listening") throw new Error(`port ${port}: ${heard}`);
    }
  }

  close(): void {
    this.#child.stdin?.end();
  }
}

export class PodFixture {
  readonly network: PodNetwork;
  readonly application: Agent;
  readonly sidecar: Agent;

  constructor(network: PodNetwork, user: MeshUser) {
    this.network = network;
    const enter = ["nsenter", `--net=${network.path}`, "--"];
    const as = (uid: number): string[] =>
      user === "root"
        ? ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"]
        : [];
    this.application = new Agent([...enter, ...as(APPLICATION_UID)]);
    this.sidecar = new Agent(
      [...enter, ...as(SIDECAR_UID)],
      user === "root" ? {} : { AGENT_MARK: String(SIDECAR_MARK) },
    );
  }

  close(): void {
    this.application.close();
    this.sidecar.close();
  }
}
