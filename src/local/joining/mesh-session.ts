/** One conversation on the supervisor's socket. Whoever joined over it leaves when it ends, however it ends. */
import type { Socket } from "node:net";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../../runtime/json-lines.ts";
import type { Log } from "../../runtime/log.ts";
import type { LocalMesh } from "../local-mesh.ts";
import { meshStatus } from "../mesh-status.ts";
import type { JoinRequest } from "./join-request.ts";
import type { JoinedProcesses } from "./joined-processes.ts";
import {
  MAX_REQUEST_CHARACTERS,
  type MeshReply,
  type MeshRequest,
  parseMeshRequest,
} from "./mesh-socket-messages.ts";

/** Whoever has not joined must not stay silent for longer. */
const SILENCE_MS = 30_000;
/** How long the last words may take to be read. */
const FAREWELL_MS = 500;
/** Requests sent ahead of their replies. */
const MAX_WAITING = 16;

export interface SessionOptions {
  readonly mesh: LocalMesh;
  readonly joined: JoinedProcesses;
  readonly requestStop: () => void;
  readonly log: Log;
}

export class MeshSession {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  /** What this connection's process asked to be. */
  #member: JoinRequest | undefined;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();
  #ending = false;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(SILENCE_MS, () => {
      if (this.#member === undefined && this.#waiting === 0) socket.destroy();
    });
    socket.on("error", (error) => {
      options.log.warn("a conversation broke off", { problem: describeError(error) });
      socket.destroy();
    });
    socket.once("close", () => this.#depart());
    readJsonLines(socket, (value) => this.#receive(value), {
      maxLineCharacters: MAX_REQUEST_CHARACTERS,
    });
  }

  /** The supervisor has no more to say; pods end with the mesh. */
  end(because: string): void {
    this.#ending = true;
    this.#reply({ type: "ended", because });
    this.#socket.destroySoon();
    const cut = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
    this.#socket.once("close", () => clearTimeout(cut));
  }

  #receive(value: unknown): void {
    if (++this.#waiting > MAX_WAITING) {
      this.#socket.destroy(new Error(`more than ${MAX_WAITING} requests wait for their replies`));
      return;
    }
    this.#turn = this.#turn.then(async () => {
      this.#reply(await this.#answer(value));
      this.#waiting--;
    });
  }

  async #answer(value: unknown): Promise<MeshReply> {
    try {
      return await this.#carryOut(parseMeshRequest(value));
    } catch (error) {
      if (!(error instanceof HauberkError)) {
        this.#options.log.error("a request failed", { problem: describeError(error) });
      }
      return { type: "refused", problem: describeError(error) };
    }
  }

  async #carryOut(request: MeshRequest): Promise<MeshReply> {
    switch (request.type) {
      case "join":
        return await this.#join(request);
      case "processes":
        return this.#adopt(request.processIds);
      case "leave":
        await this.#leave();
        return { type: "left" };
      case "status":
        return { type: "status", status: await meshStatus(this.#options.mesh) };
      case "written":
        return { type: "written", texts: this.#options.mesh.texts };
      case "sidecar":
        return this.#sidecar(request);
      case "stop":
        setImmediate(this.#options.requestStop);
        return { type: "stopping" };
    }
  }

  async #join({ request, processIds }: MeshRequest & { type: "join" }): Promise<MeshReply> {
    if (this.#member !== undefined) {
      return { type: "refused", problem: "this connection has joined already" };
    }
    if (this.#socket.destroyed) return { type: "refused", problem: "whoever asked is gone" };
    const outcome = await this.#options.joined.join(request, {
      processIds,
      onDisplaced: () => this.end(`a file now defines ${request.namespace}/${request.name}`),
    });
    if (outcome.type === "joined") this.#member = request;
    if (this.#socket.destroyed) await this.#leave();
    return outcome;
  }

  #sidecar({ namespace, name }: MeshRequest & { type: "sidecar" }): MeshReply {
    const { pods } = this.#options.mesh;
    const known = pods.map((pod) => ({ pod, workload: pod.plan.workload }));
    const of = known.filter(({ workload }) => workload.namespace === namespace);
    const found =
      of.find(({ workload }) => workload.name === name) ??
      of.find(({ workload }) => workload.owner === name);
    if (found === undefined) {
      const names = known
        .map(({ workload }) => `${workload.name}.${workload.namespace}`)
        .join(", ");
      return {
        type: "refused",
        problem: `there is no pod ${name}.${namespace}; there are ${names}`,
      };
    }
    const { pod } = found;
    if (pod.sidecar === undefined)
      return { type: "refused", problem: `the pod ${name}.${namespace} has no sidecar` };
    const { adminSocket } = pod;
    if (adminSocket !== undefined) return { type: "sidecar", pod: pod.key, adminSocket };
    return { type: "refused", problem: `the sidecar of ${name}.${namespace} does not run now` };
  }

  #adopt(processIds: readonly number[]): MeshReply {
    const problem =
      this.#member === undefined
        ? "this connection has not joined"
        : this.#options.joined.adopt(this.#member, processIds);
    return problem === undefined ? { type: "adopted" } : { type: "refused", problem };
  }

  async #leave(): Promise<void> {
    const member = this.#member;
    this.#member = undefined;
    if (member !== undefined && !this.#ending) await this.#options.joined.leave(member);
  }

  #depart(): void {
    this.#leave().catch((error: unknown) =>
      this.#options.log.error("a pod did not end", { problem: describeError(error) }),
    );
  }

  #reply(reply: MeshReply): void {
    writeJsonLine(this.#socket, reply);
  }
}
