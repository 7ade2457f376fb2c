/** Where a mesh on this machine keeps its state, readable by a person: one place that knows the file names. */

import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { exchangeablePart } from "./exchangeable-path.ts";

/** Used when the user names no other; relative to the current folder. */
export const DEFAULT_DATA_DIRECTORY = ".hauberk";

/** The data directory must not be used: it is no folder, or other users can read it, write it or exchange it. */
export class DataDirectoryError extends HauberkError {
  readonly code = "HAUBERK_DATA_DIRECTORY";
}

const NAME_FOLDER = "name a folder with --data, which may be a new one";
const IS_FILE = `is a file, and no folder; ${NAME_FOLDER}`;
const INSIDE_FILE = `would be inside of a file; ${NAME_FOLDER}`;

/** macOS allows 103 bytes, Linux 107. */
const MAX_SOCKET_PATH = 100;
/** In its folder. */
export const ADMIN_SOCKET = "admin.sock";

/** In the data directory: which processes run, and where. */
export const MESH_STATE_FILE = "mesh.json";

export class DataDirectory {
  readonly path: string;
  constructor(path: string) {
    this.path = resolve(path);
  }
  /** Which processes run, and where: no secrets. */
  get meshState(): string {
    return join(this.path, MESH_STATE_FILE);
  }
  /** Names the process that supervises the mesh. */
  get lock(): string {
    return join(this.path, "up.lock");
  }
  /** What was written of the mesh by others than the user's files: a folder a kind, a file an object. */
  get objects(): string {
    return join(this.path, "objects");
  }
  /** What happened, and which revisions there were: files of lines. */
  get history(): string {
    return join(this.path, "history");
  }
  get ports(): string {
    return join(this.path, "ports.json");
  }
  get controlPlaneLog(): string {
    return join(this.path, "logs", "control-plane.log");
  }
  get gatewayLog(): string {
    return join(this.path, "logs", "gateway.log");
  }
  /** What containers may not ask of the kernel. */
  get systemCallFilter(): string {
    return join(this.path, "system-calls.bpf");
  }
  /** Where the supervisor takes questions and orders; a socket's path must be short, so a long one moves. */
  get socket(): string {
    return this.#shortSocket("mesh.sock", "");
  }
  /** Where the control plane itself does, about its authorities. */
  get controlPlaneSocket(): string {
    return this.#shortSocket("control-plane.sock", "-control-plane");
  }
  /** One folder a pod: `access.log`, `istio-access.log`, `sidecar.log` and a file for each container. */
  logs({ namespace, name }: { namespace: string; name: string }): string {
    return join(this.path, "logs", namespace, name);
  }
  /** All that is kept for one pod while it runs. */
  pod({ namespace, name }: { namespace: string; name: string }): string {
    return join(this.path, "pods", namespace, name);
  }
  /** A pod's own scratch folder: its TMPDIR. */
  scratch(pod: { namespace: string; name: string }): string {
    return join(this.pod(pod), "tmp");
  }
  /** Of the pod's Workload API, where all share the machine's files. */
  workloadApiSocket({ namespace, name }: { namespace: string; name: string }): string {
    const pod = createHash("sha256").update(`${namespace}/${name}`).digest("hex").slice(0, 16);
    return this.#shortSocket(join("pods", namespace, name, "workload-api.sock"), `-${pod}`);
  }
  /** Of what a pod's gRPC programs need to be their own proxies, where all share the machine's files. */
  proxylessFolder(pod: { namespace: string; name: string }): string {
    return join(this.pod(pod), "grpc");
  }
  /** By which these programs are served. */
  proxylessSocket({ namespace, name }: { namespace: string; name: string }): string {
    const pod = createHash("sha256").update(`${namespace}/${name} grpc`).digest("hex").slice(0, 16);
    return this.#shortSocket(join("pods", namespace, name, "grpc", "grpc-xds.sock"), `-${pod}`);
  }
  /** The folder of the Workload API's socket, where a pod sees files of its own. */
  workloadApiFolder(pod: { namespace: string; name: string }): string {
    return join(this.pod(pod), "workload-api");
  }
  /** The folder of a sidecar's administration, which no container is shown. */
  adminFolder(pod: { namespace: string; name: string }): string {
    return join(this.pod(pod), "admin");
  }
  /** Of such a folder that a socket can be in by its path: where the one above is too deep, it moves. */
  reachableAdminFolder(pod: { namespace: string; name: string }): string {
    const inside = this.adminFolder(pod);
    if (Buffer.byteLength(join(inside, ADMIN_SOCKET)) <= MAX_SOCKET_PATH) return inside;
    const key = `${this.path}\n${pod.namespace}/${pod.name}`;
    const hash = createHash("sha256").update(key).digest("hex").slice(0, 32);
    return join(tmpdir(), `hauberk-${hash}`);
  }
  /** A volume that a StatefulSet's pod claims: it outlives the pod, and the mesh. */
  claim({ namespace, name }: { namespace: string; name: string }): string {
    return join(this.path, "claims", namespace, name);
  }

  /**
   * Makes the folder, closed to other users.
   *
   * @throws DataDirectoryError when it is there, and is no folder, or not this user's alone
   */
  async create(): Promise<void> {
    await this.#refuseExchangeable();
    await this.#makeFolder();
    await this.verify();
  }

  /**
   * Before anything in it is believed: what it says is started, connected to, or ended. Whoever can write it, or put another in
   * its place, would decide that for this user. One that is not there is no error.
   *
   * @throws DataDirectoryError when it is not this user's alone
   */
  async verify(): Promise<void> {
    const found = await this.#lookAt();
    if (found === undefined) return;
    if (!found.isDirectory()) throw new DataDirectoryError(`${this.path} ${IS_FILE}`);
    const { uid, mode } = found;
    if (process.getuid !== undefined && uid !== process.getuid())
      throw new DataDirectoryError(`${this.path} belongs to another user; choose another folder`);
    await this.#refuseExchangeable();
    if ((mode & 0o077) === 0) return;
    throw new DataDirectoryError(
      `${this.path} is open to other users, so hauberk did not make it like that; where all in it is your own, close it with: chmod 700 ${this.path}; what came with a repository or an archive is not: remove it`,
    );
  }

  async #lookAt(): Promise<Stats | undefined> {
    try {
      return await stat(this.path);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw new DataDirectoryError(`${this.path} cannot be looked at`, { cause });
    }
  }

  async #refuseExchangeable(): Promise<void> {
    const problem = await exchangeablePart(this.path);
    if (problem === undefined) return;
    throw new DataDirectoryError(
      `${this.path} could be exchanged by another user, since ${problem}; choose another folder with --data`,
    );
  }

  async #makeFolder(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
      if (code !== "EEXIST" && code !== "ENOTDIR") throw cause;
      throw new DataDirectoryError(`${this.path} ${code === "EEXIST" ? IS_FILE : INSIDE_FILE}`);
    }
  }

  #shortSocket(name: string, suffix: string): string {
    const inside = join(this.path, name);
    if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
    const hash = createHash("sha256").update(this.path).digest("hex").slice(0, 24);
    return join(tmpdir(), `hauberk-${hash}${suffix}.sock`);
  }

  /** Each run begins with empty logs; those of the run before are kept beside them. */
  async startLogs(): Promise<void> {
    const logs = join(this.path, "logs");
    const previous = join(this.path, "logs.previous");
    await mkdir(logs, { recursive: true, mode: 0o700 });
    await rm(previous, { recursive: true, force: true });
    await rename(logs, previous);
  }
}
