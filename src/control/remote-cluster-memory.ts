/**
 * What another cluster said last, on disk: a control plane that starts anew while the other is away goes on with it. The
 * file's time is when it was last known to be true.
 */
import { mkdir, readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { ExportedService } from "../policy/exported-services.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { readRegularFile } from "../runtime/regular-file.ts";
import { packRemoteServices, unpackRemoteServices } from "../wire/remote-services.ts";
import { readRemoteServices, writeRemoteServices } from "./remote-services-message.ts";

const FOLDER = "remote-clusters";
const SUFFIX = ".pb";
const MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Above any state that a cluster may send. */
const MAX_BYTES = 67_108_864;

export interface Remembered {
  readonly services: readonly ExportedService[];
  readonly heardAt: Date;
}

export class RemoteClusterMemory {
  readonly #folder: string;
  readonly #log: Log;
  /** What is to be written once it is its turn. */
  readonly #unwritten = new Map<string, Remembered>();
  /** Writes go one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @param dataDirectory of the mesh, closed to others */
  constructor(dataDirectory: string, log: Log) {
    this.#folder = join(dataDirectory, FOLDER);
    this.#log = log;
  }

  /** What is remembered of each of these clusters; of all others it is forgotten. */
  async recall(clusters: readonly string[]): Promise<ReadonlyMap<string, Remembered>> {
    const found = new Map<string, Remembered>();
    for (const cluster of await this.#clusters()) {
      if (!clusters.includes(cluster)) this.forget(cluster);
      else await this.#read(cluster, found);
    }
    return found;
  }

  /** Of several while the disk is slow, the last. */
  remember(cluster: string, last: Remembered): void {
    const isWaiting = this.#unwritten.has(cluster);
    this.#unwritten.set(cluster, last);
    if (!isWaiting) this.#enqueue("remember", cluster, (path) => this.#write(cluster, path));
  }

  /** It is as it was. */
  confirm(cluster: string, heardAt: Date): void {
    this.#enqueue("confirm", cluster, (path) => utimes(path, heardAt, heardAt));
  }

  forget(cluster: string): void {
    this.#unwritten.delete(cluster);
    this.#enqueue("forget", cluster, (path) => rm(path, { force: true }));
  }

  /** Once what is under way is done. */
  async close(): Promise<void> {
    await this.#turn;
  }

  async #write(cluster: string, path: string): Promise<void> {
    const last = this.#unwritten.get(cluster);
    this.#unwritten.delete(cluster);
    if (last === undefined) return;
    const state = writeRemoteServices(last.services, { cluster, trustDomain: "" });
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    await replaceFile(path, packRemoteServices(state), { mode: MODE });
    await utimes(path, last.heardAt, last.heardAt);
  }

  #enqueue(deed: string, cluster: string, act: (path: string) => Promise<void>): void {
    this.#turn = this.#turn
      .then(() => act(this.#pathOf(cluster)))
      .catch((error: unknown) => {
        const problem = describeError(error);
        this.#log.warn("the memory of remote clusters failed", { deed, cluster, problem });
      });
  }

  #pathOf(cluster: string): string {
    return join(this.#folder, `${cluster}${SUFFIX}`);
  }

  async #clusters(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => []); // none yet
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length));
  }

  async #read(cluster: string, into: Map<string, Remembered>): Promise<void> {
    try {
      const path = this.#pathOf(cluster);
      const file = await readRegularFile(path, { maxBytes: MAX_BYTES, links: "refused" });
      const { bytes, modifiedAt: heardAt } = file;
      const services = readRemoteServices(unpackRemoteServices(bytes));
      into.set(cluster, { services, heardAt });
    } catch (error) {
      const problem = describeError(error);
      this.#log.warn("what a remote cluster said last cannot be read", { cluster, problem });
    }
  }
}
