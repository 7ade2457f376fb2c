/** A file of lines that only grows, and whose lines are on disk when they count. A line that a crash tore goes away. */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../runtime/atomic-file.ts";

const OWNER_ONLY = 0o600;
/** No line is longer; what stands at the end without a line end was never acknowledged. */
const MAX_LINE_BYTES = 65_536;
const LINE_END = 0x0a;

export class DurableLines {
  /** Bytes of whole lines. */
  size: number;
  readonly #file: FileHandle;
  /** Whether something that counts for nothing stands behind the last whole line. */
  #isTorn = false;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** Opens or makes the file, for its owner alone, and cuts off a torn last line. */
  static async open(path: string): Promise<DurableLines> {
    const file = await open(path, "a+", OWNER_ONLY);
    try {
      const stat = await file.stat();
      if (stat.isFile()) await file.chmod(OWNER_ONLY);
      const size = await sizeOfWholeLines(file, stat.size);
      if (size < stat.size) await file.truncate(size);
      await file.sync();
      await syncDirectory(dirname(path));
      return new DurableLines(file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Returns when the lines are on disk. When it throws they count for nothing, and what is there of them is removed
   * before the next ones are written.
   *
   * @param lines each with its line end
   */
  async append(lines: string): Promise<void> {
    const bytes = Buffer.from(lines);
    if (this.#isTorn) await this.#file.truncate(this.size);
    this.#isTorn = true;
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#isTorn = false;
    this.size += bytes.length;
  }

  /** All whole lines. */
  async read(): Promise<string> {
    const bytes = Buffer.alloc(this.size);
    await this.#file.read(bytes, 0, this.size, 0);
    return bytes.toString("utf8");
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function sizeOfWholeLines(file: FileHandle, size: number): Promise<number> {
  const length = Math.min(size, MAX_LINE_BYTES);
  const end = Buffer.alloc(length);
  await file.read(end, 0, length, size - length);
  if (length === 0 || end.at(-1) === LINE_END) return size;
  return size - length + end.lastIndexOf(LINE_END) + 1;
}
