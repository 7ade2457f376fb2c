/** How other commands speak with the supervisor of a running mesh: finds it by its data directory, asks, is answered. */
import { lstat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../../runtime/json-lines.ts";
import { isRunning } from "../../runtime/process-identity.ts";
import type { DataDirectory } from "../data-directory.ts";
import { type MeshState, readMeshState } from "../mesh-state.ts";
import type { MeshReply, MeshRequest } from "./mesh-socket-messages.ts";

/** No mesh runs with its data there, or its supervisor does not answer. */
export class NoMeshError extends HauberkError {
  readonly code = "HAUBERK_NO_MESH";
}

/** A mesh that is still starting opens its socket last. */
const PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 50;

/** How long an answer may take; joining takes as long as a pod does to start. */
const REPLY_PATIENCE_MS = 10_000;
/** All that is written of a mesh, as JSON; whoever answers is of our own user. */
const MAX_REPLY_CHARACTERS = 256 * 1024 * 1024;

export class MeshClient {
  readonly #socket: Socket;
  readonly #asked: Deferred<MeshReply>[] = [];
  readonly #ended: Deferred<string> = createDeferred();

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Where the reason matters it is told as the end of the conversation.
    socket.on("error", (error) => this.#conclude(error.message));
    socket.once("close", () => this.#conclude("the mesh has ended"));
    readJsonLines(socket, (value) => this.#receive(value as MeshReply), {
      maxLineCharacters: MAX_REPLY_CHARACTERS,
    });
  }

  /** @throws NoMeshError, DataDirectoryError */
  static async connect(dataDirectory: DataDirectory): Promise<MeshClient> {
    await findRunningMesh(dataDirectory);
    // As `up` names it, whatever the state file says: that is text, and this decides whom programs are told to trust.
    const { socket } = dataDirectory;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await refuseStrangers(socket);
        return new MeshClient(await open(socket));
      } catch (cause) {
        const alive = await readMeshState(dataDirectory.meshState);
        const ended = alive === undefined || !isRunning(alive.supervisor);
        if (ended || cause instanceof NoMeshError || performance.now() > deadline) {
          throw new NoMeshError(`the mesh with its data in ${dataDirectory.path} does not answer`, {
            cause,
          });
        }
      }
      await delay(LOOK_AGAIN_MS);
    }
  }

  /** Resolves, with the reason, when the conversation is over. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** @throws NoMeshError when the mesh ends before it answers */
  ask(request: MeshRequest): Promise<MeshReply> {
    const reply = createDeferred<MeshReply>();
    this.#asked.push(reply);
    if (request.type !== "join") this.#expectSoon(reply.promise);
    if (this.#socket.writable) writeJsonLine(this.#socket, request);
    else this.#conclude("the conversation is over");
    return reply.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A supervisor that was stopped takes connections, and never says a word. */
  #expectSoon(reply: Promise<MeshReply>): void {
    const silent = `it was silent for ${REPLY_PATIENCE_MS / 1000} s`;
    const timer = setTimeout(() => this.#conclude(silent), REPLY_PATIENCE_MS);
    const stop = (): void => clearTimeout(timer);
    reply.then(stop, stop);
  }

  #receive(reply: MeshReply): void {
    if (reply.type === "ended") this.#conclude(reply.because);
    else this.#asked.shift()?.resolve(reply);
  }

  #conclude(because: string): void {
    this.#ended.resolve(because);
    for (const reply of this.#asked.splice(0)) {
      reply.reject(new NoMeshError(`the mesh did not answer: ${because}`));
    }
    this.#socket.destroy();
  }
}

/**
 * The mesh that runs, or ran, with its data there.
 *
 * @throws NoMeshError, DataDirectoryError
 */
export async function findMesh(dataDirectory: DataDirectory): Promise<MeshState> {
  const { path, meshState } = dataDirectory;
  await dataDirectory.verify();
  const state = await readMeshState(meshState);
  if (state !== undefined) return state;
  throw new NoMeshError(
    `no mesh has its data in ${path}; start one with \`hauberk up -f FOLDER\`, or say with --data where its data is`,
  );
}

/** @throws DataDirectoryError; NoMeshError, saying what to do about it */
export async function findRunningMesh(dataDirectory: DataDirectory): Promise<MeshState> {
  const state = await findMesh(dataDirectory);
  if (isRunning(state.supervisor)) return state;
  const { path } = dataDirectory;
  const left = state.processes.filter(isRunning).length;
  const next =
    left === 0
      ? "start it again with `hauberk up -f FOLDER`"
      : `${left} of its processes still run: end them with \`hauberk down\`, or start it again with \`hauberk up -f FOLDER\``;
  throw new NoMeshError(`the mesh with its data in ${path} has ended; ${next}`);
}

/** Whoever answers there tells programs which proxy to use: it must be our own user. */
async function refuseStrangers(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSocket() && found.uid === process.getuid?.()) return;
  throw new NoMeshError(`${path} is not a socket of this user`);
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
