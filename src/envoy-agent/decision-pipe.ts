/**
 * The pipe by which Envoy tells its agent what became of each request and connection. A pipe of its own: what users have
 * logged holds what strangers wrote, and nobody must be able to write decisions that way.
 */
import { execFile } from "node:child_process";
import { constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";

export interface DecisionPipeOptions {
  readonly path: string;
  /** @param line without its end */
  readonly take: (line: string) => void;
  readonly log: Log;
}

export interface DecisionPipe {
  close(): Promise<void>;
}

/** A longer line is left out: heads have 64 KiB, and each octet of them may be told as six. */
const MAX_LINE_BYTES = 1024 * 1024;
const LINE_END = 0x0a;
const PATIENCE_MS = 5_000;

/** @returns undefined where there can be none: then decisions are not told, and all else is as ever */
export async function openDecisionPipe(
  options: DecisionPipeOptions,
): Promise<DecisionPipe | undefined> {
  try {
    return await openOne(options);
  } catch (error) {
    options.log.warn("what Envoy decides cannot be logged", { problem: describeError(error) });
    return undefined;
  }
}

async function openOne({ path, take, log }: DecisionPipeOptions): Promise<DecisionPipe> {
  await rm(path, { force: true });
  // The folder may be a descriptor of this process, which no other knows by that name.
  const place = { cwd: dirname(path), timeout: PATIENCE_MS };
  await promisify(execFile)("mkfifo", ["-m", "600", basename(path)], place);
  // Held open to be written, too: so it has no end while one Envoy is gone and the next is not there yet.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  const lines = new LineSplitter(take);
  socket.on("data", (chunk) => lines.add(chunk));
  socket.on("error", (error) =>
    log.warn("what Envoy decides is logged no more", { problem: describeError(error) }),
  );
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  return {
    async close() {
      await nextTurn(); // what is in the pipe by now is read before
      socket.destroy();
      await closed;
    },
  };
}

class LineSplitter {
  readonly #take: (line: string) => void;
  /** Of a line that was not written to its end; undefined: it is too long. */
  #rest: Buffer | undefined = Buffer.alloc(0);

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      if (this.#rest !== undefined) this.#tell(chunk.subarray(start, end));
      this.#rest = Buffer.alloc(0);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #tell(end: Buffer): void {
    const line = this.#rest?.length === 0 ? end : Buffer.concat([this.#rest ?? end, end]);
    if (line.length > 0) this.#take(line.toString("utf8"));
  }

  #keep(beginning: Buffer): void {
    if (this.#rest === undefined) return;
    const rest = Buffer.concat([this.#rest, beginning]);
    this.#rest = rest.length > MAX_LINE_BYTES ? undefined : rest;
  }
}
