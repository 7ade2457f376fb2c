/** The supervisor's door on this machine: a Unix socket, closed to other users, over which processes join and leave. */
import { rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { describeError } from "../../runtime/hauberk-error.ts";
import { ListenError } from "../../runtime/listen-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { LocalMesh } from "../local-mesh.ts";
import { JoinedProcesses } from "./joined-processes.ts";
import { MeshSession } from "./mesh-session.ts";

const MAX_CONNECTIONS = 128;
/** A new socket file gets mode 0600. */
const OWNER_ONLY = 0o177;

export interface MeshSocketOptions {
  readonly mesh: LocalMesh;
  readonly path: string;
  /** Somebody asks for the whole mesh to end. */
  readonly requestStop: () => void;
  readonly log: Log;
}

export class MeshSocket {
  readonly #server: Server;
  readonly #sessions: Set<MeshSession> = new Set();

  private constructor({ mesh, requestStop, log }: MeshSocketOptions) {
    const joined = new JoinedProcesses(mesh);
    this.#server = createServer((socket: Socket) => {
      const session = new MeshSession(socket, { mesh, joined, requestStop, log });
      this.#sessions.add(session);
      socket.once("close", () => this.#sessions.delete(session));
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("error", (error) =>
      log.error("the mesh's socket failed", { problem: describeError(error) }),
    );
  }

  /**
   * Replaces a socket file that an earlier run left.
   *
   * @throws ListenError
   */
  static async open(options: MeshSocketOptions): Promise<MeshSocket> {
    const socket = new MeshSocket(options);
    try {
      await rm(options.path, { force: true });
      await socket.#listen(options.path);
    } catch (cause) {
      throw new ListenError(`cannot listen on ${options.path}`, { cause });
    }
    return socket;
  }

  /** Takes nobody in any more, and tells those who joined; their pods end with the mesh. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions) session.end("the mesh has ended");
    await closed;
  }

  #listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      const before = process.umask(OWNER_ONLY);
      try {
        this.#server.listen(path, () => {
          this.#server.off("error", reject);
          resolve();
        });
      } finally {
        process.umask(before);
      }
    });
  }
}
