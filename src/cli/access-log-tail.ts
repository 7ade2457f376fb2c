/** Reads the access logs of all pods as they grow: pods come and go, files are cut short or replaced meanwhile. */
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { predecessorName } from "../local/processes/log-predecessors.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { parseLogEntry } from "./parse-log-entry.ts";

export interface LoggedEntry {
  /** `namespace/pod` whose sidecar wrote it. */
  readonly pod: string;
  readonly entry: AccessLogEntry;
}

export interface AccessLogTailOptions {
  /** Holds `NAMESPACE/POD/access.log`. */
  readonly directory: string;
  /** @param pod `namespace/pod` */
  readonly wants: (pod: string) => boolean;
  /** Whether to begin with what each log held before it was full the last time. */
  readonly fromOldest?: boolean;
}

const FILE = "access.log";
const CHUNK_BYTES = 256 * 1024;
/** So much of two files tells whether they begin alike: every line has its time. */
const BEGINNING_BYTES = 4 * 1024;
/** A longer line is no entry of ours. */
const MAX_LINE_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

export class AccessLogTail {
  readonly #options: AccessLogTailOptions;
  readonly #files: Map<string, OpenLog> = new Map();
  #garbled = 0;

  constructor(options: AccessLogTailOptions) {
    this.#options = options;
  }

  /** Lines so far that are no access log entries. */
  get garbledLines(): number {
    return this.#garbled;
  }

  /** Tells of every entry since the last look; those of one pod in the order of its log. */
  async look(receive: (logged: LoggedEntry) => void): Promise<void> {
    for (const pod of await this.pods()) {
      if (this.#files.has(pod)) continue;
      await this.#open(pod);
      if (!this.#options.fromOldest) continue;
      await this.#files.get(pod)?.readOldest((line) => this.#read(pod, { line, receive }));
    }
    for (const [pod, log] of this.#files) {
      const read = (line: Buffer): void => this.#read(pod, { line, receive });
      await log.readOn(read);
      if (await this.#isCurrent(pod, log)) continue;
      await log.readOn(read);
      await log.close();
      this.#files.delete(pod);
      await this.#open(pod);
      await this.#files.get(pod)?.readOn(read);
    }
  }

  /** Those with a log that are wanted, as `namespace/pod`, sorted. */
  async pods(): Promise<readonly string[]> {
    const { directory, wants } = this.#options;
    const namespaces = await foldersIn(directory);
    const pods = await Promise.all(
      namespaces.map(async (namespace) =>
        (await foldersIn(join(directory, namespace))).map((pod) => `${namespace}/${pod}`),
      ),
    );
    return pods.flat().filter(wants).sort();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((log) => log.close()));
    this.#files.clear();
  }

  async #open(pod: string): Promise<void> {
    const handle = await ifThere(open(this.#fileOf(pod), "r"));
    const older = (): Promise<FileHandle | undefined> =>
      ifThere(open(predecessorName(this.#fileOf(pod)), "r"));
    if (handle !== undefined) this.#files.set(pod, new OpenLog(handle, older));
  }

  async #isCurrent(pod: string, log: OpenLog): Promise<boolean> {
    const named = await ifThere(stat(this.#fileOf(pod)));
    return named !== undefined && named.ino === (await log.inode());
  }

  #fileOf(pod: string): string {
    return join(this.#options.directory, pod, FILE);
  }

  #read(
    pod: string,
    { line, receive }: { readonly line: Buffer; readonly receive: (logged: LoggedEntry) => void },
  ): void {
    const entry = parseLogEntry(line.toString("utf8"));
    if (entry === undefined) this.#garbled++;
    else receive({ pod, entry });
  }
}

class OpenLog {
  readonly #handle: FileHandle;
  /** Opens the file that has what this one held before it was full. */
  readonly #older: () => Promise<FileHandle | undefined>;
  #offset = 0;
  /** Of a line that was not written to its end. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(handle: FileHandle, older: () => Promise<FileHandle | undefined>) {
    this.#handle = handle;
    this.#older = older;
  }

  async inode(): Promise<number> {
    return (await this.#handle.stat()).ino;
  }

  async readOn(receive: (line: Buffer) => void): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size < this.#offset) {
      await this.#readOlder(receive);
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    await this.#readTo(size, { handle: this.#handle, receive });
  }

  /** What the older file has, unless the newer one is being copied to it right now. Only before anything else is read. */
  async readOldest(receive: (line: Buffer) => void): Promise<void> {
    const handle = await this.#older();
    if (handle === undefined) return;
    try {
      const [older, newer] = await Promise.all([beginningOf(handle), beginningOf(this.#handle)]);
      if (newer.length > 0 && older.equals(newer)) return;
      await this.#readTo((await handle.stat()).size, { handle, receive });
    } finally {
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
      await handle.close();
    }
  }

  /** What was written after the last look, and before the file began anew. */
  async #readOlder(receive: (line: Buffer) => void): Promise<void> {
    const handle = await this.#older();
    if (handle === undefined) return;
    try {
      const { size } = await handle.stat();
      if (size > this.#offset) await this.#readTo(size, { handle, receive });
    } finally {
      await handle.close();
    }
  }

  async #readTo(
    size: number,
    { handle, receive }: { readonly handle: FileHandle; readonly receive: (line: Buffer) => void },
  ): Promise<void> {
    const chunk = Buffer.alloc(Math.max(0, Math.min(CHUNK_BYTES, size - this.#offset)));
    while (this.#offset < size) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      this.#split(chunk.subarray(0, bytesRead), receive);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #split(chunk: Buffer, receive: (line: Buffer) => void): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      if (end > start) receive(bytes.subarray(start, end));
      start = end + 1;
    }
    const rest = bytes.subarray(start);
    this.#rest = rest.length > MAX_LINE_BYTES ? Buffer.from("too long") : Buffer.from(rest);
  }
}

/** To the end of its first line, if that is not too long. */
async function beginningOf(handle: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(BEGINNING_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, BEGINNING_BYTES, 0);
  const end = buffer.indexOf(LINE_END);
  return buffer.subarray(0, end >= 0 && end < bytesRead ? end : bytesRead);
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const items = (await ifThere(readdir(directory, { withFileTypes: true }))) ?? [];
  return items.filter((item) => item.isDirectory()).map(({ name }) => name);
}

/** @returns undefined when there is no such file */
async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
