/**
 * Reads an access log while it is written, since of a busy sidecar's only the last seconds are kept: counts requests, and
 * keeps the entries of those that went wrong.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";

const WELL = ['"response_flags":"-"', '"response_code":200,'];
const OF_OURS = '"request_id":"m-';
const CHUNK_BYTES = 1024 * 1024;

export class AccessLogFollower {
  readonly #path: string;
  readonly #entries: Map<string, AccessLogEntry[]> = new Map();
  #offset = 0;
  #rest = "";
  #reading: Promise<void> = Promise.resolve();
  /** Of all that the client sent. */
  requests = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Those that say that something went wrong, of one request. */
  entriesOf(id: string): readonly AccessLogEntry[] {
    return this.#entries.get(id) ?? [];
  }

  /** Reads on to today's end. To be called often: what was written since must fit into one file. */
  readOn(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readOn());
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return;
    try {
      if ((await file.stat()).size < this.#offset) await this.#readPredecessor();
      await this.#readRest(file);
    } finally {
      await file.close();
    }
  }

  async #readPredecessor(): Promise<void> {
    const file = await open(`${this.#path}.1`);
    try {
      await this.#readRest(file);
      this.#offset = 0;
    } finally {
      await file.close();
    }
  }

  async #readRest(file: FileHandle): Promise<void> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const lines = (this.#rest + chunk.toString("latin1", 0, bytesRead)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
  }

  #line(line: string): void {
    if (!line.includes(OF_OURS)) return;
    this.requests++;
    if (WELL.every((sign) => line.includes(sign))) return;
    const entry = JSON.parse(line) as AccessLogEntry;
    const id = entry.request_id ?? "";
    const known = this.#entries.get(id);
    if (known === undefined) this.#entries.set(id, [entry]);
    else known.push(entry);
  }
}

const EVERY_MS = 500;

/** Follows those of several sidecars. */
export class AccessLogFollowers {
  readonly #followers: ReadonlyMap<string, AccessLogFollower>;
  readonly #timer: NodeJS.Timeout;

  /** @param logs paths by pod */
  constructor(logs: ReadonlyMap<string, string>) {
    this.#followers = new Map([...logs].map(([pod, path]) => [pod, new AccessLogFollower(path)]));
    this.#timer = setInterval(() => void this.#readOn(), EVERY_MS);
  }

  entriesOf(id: string): readonly AccessLogEntry[] {
    return [...this.#followers.values()].flatMap((follower) => follower.entriesOf(id));
  }

  /** How many of the client's requests a sidecar has logged. */
  requestsOf(pod: string): number {
    return this.#followers.get(pod)?.requests ?? 0;
  }

  /** Resolves once all is read that is written by now. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#readOn();
  }

  async #readOn(): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.readOn()));
  }
}
