/** A file of lines, read from somewhere on and then as it grows: it may be begun anew, or not be there yet. */
import { type FileHandle, open } from "node:fs/promises";
import { predecessorName } from "../../processes/log-predecessors.ts";

/** Where all of it is line ends, others wait for milliseconds while it is told. */
const CHUNK_BYTES = 64 * 1024;
/** A longer line is told in parts. */
const MAX_LINE_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

export interface FileLine {
  /** With its line end, where it has one. */
  readonly text: Buffer;
  /** Where it ends in its file, in bytes. */
  readonly end: number;
}

export interface GrowingFileOptions {
  readonly path: string;
  /** Where to begin, in bytes; 0 when absent. */
  readonly from?: number;
  /** Where to end for good; absent: with the file, wherever that is then. */
  readonly until?: number | undefined;
}

export class GrowingFile {
  readonly #path: string;
  readonly #until: number;
  #offset: number;
  #handle: FileHandle | undefined;
  /** Of a line that was not written to its end. */
  #rest: Buffer = Buffer.alloc(0);

  constructor({ path, from = 0, until = Number.POSITIVE_INFINITY }: GrowingFileOptions) {
    this.#path = path;
    this.#offset = from;
    this.#until = until;
  }

  /** Whole lines that were not told yet, as far as there are any now; one batch a chunk of the file. */
  async *readOn(): AsyncGenerator<readonly FileLine[]> {
    this.#handle ??= await openIfThere(this.#path);
    if (this.#handle === undefined) return;
    const { size } = await this.#handle.stat();
    if (size < this.#offset) {
      yield* this.#readPredecessor();
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    yield* this.#readTo(Math.min(size, this.#until), this.#handle);
  }

  /** What is left of a line that nobody will end. */
  lastLine(): FileLine | undefined {
    const text = this.#rest;
    this.#rest = Buffer.alloc(0);
    return text.length === 0 ? undefined : { text, end: this.#offset };
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** What was written after the last look, and before the file began anew. */
  async *#readPredecessor(): AsyncGenerator<readonly FileLine[]> {
    const handle = await openIfThere(predecessorName(this.#path));
    if (handle === undefined) return;
    try {
      yield* this.#readTo((await handle.stat()).size, handle);
    } finally {
      await handle.close();
    }
  }

  async *#readTo(size: number, handle: FileHandle): AsyncGenerator<readonly FileLine[]> {
    while (this.#offset < size) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#offset));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) return;
      const lines = this.#split(chunk.subarray(0, bytesRead));
      if (lines.length > 0) yield lines;
    }
  }

  #split(chunk: Buffer): readonly FileLine[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const begin = this.#offset - this.#rest.length;
    this.#offset += chunk.length;
    const lines: FileLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      lines.push({ text: bytes.subarray(start, end + 1), end: begin + end + 1 });
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    if (this.#rest.length > MAX_LINE_BYTES) {
      lines.push({ text: this.#rest, end: this.#offset });
      this.#rest = Buffer.alloc(0);
    }
    return lines;
  }
}

/**
 * Where the last `lines` lines before `until` begin, read backwards, so that it costs nothing how long the file is.
 *
 * @returns never less than `from`
 */
export async function beginOfLastLines(
  path: string,
  {
    lines,
    from,
    until,
  }: { readonly lines: number; readonly from: number; readonly until?: number },
): Promise<number> {
  const handle = await openIfThere(path);
  if (handle === undefined) return from;
  try {
    const end = Math.min((await handle.stat()).size, until ?? Number.POSITIVE_INFINITY);
    return await lookBack(handle, { lines, from, end });
  } finally {
    await handle.close();
  }
}

async function lookBack(
  handle: FileHandle,
  { lines, from, end }: { readonly lines: number; readonly from: number; readonly end: number },
): Promise<number> {
  if (lines === 0) return Math.max(from, end);
  let left = lines;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let stop = end; stop > from; stop -= CHUNK_BYTES) {
    const start = Math.max(from, stop - CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, stop - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (chunk[at] !== LINE_END || start + at === end - 1) continue; // the last line's own end
      left--;
      if (left === 0) return start + at + 1;
    }
  }
  return from;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
