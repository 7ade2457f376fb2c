/**
 * A file of values, one a line as JSON: written anew a moment after they changed, and read line by line, so that a broken
 * one loses nothing but itself.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { InTurn } from "../../runtime/in-turn.ts";
import { readRegularFile } from "../../runtime/regular-file.ts";
import type { JsonValue } from "../api-server/kinds/kubernetes-object.ts";

/** What changes again and again is written once in so long; so much is lost where the machine stops. */
const WRITE_AFTER_MS = 1_000;

export interface KeptLinesOptions {
  readonly file: string;
  /** Of the file; what is more is left out. */
  readonly maxBytes: number;
  /** What went wrong behind anybody's back. */
  readonly report: (problem: string) => void;
}

export class KeptLines {
  readonly #options: KeptLinesOptions;
  readonly #turns: InTurn = new InTurn();
  #due: (() => Iterable<JsonValue>) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeptLinesOptions) {
    this.#options = options;
  }

  /** What cannot be read is passed over, and told. */
  async load(): Promise<readonly JsonValue[]> {
    const { file, maxBytes, report } = this.#options;
    let text: string;
    try {
      const { bytes } = await readRegularFile(file, { maxBytes, links: "refused" });
      text = bytes.toString("utf8");
    } catch (error) {
      if (isAbsent(error)) return [];
      report(`${file} is passed over: ${describeError(error)}`);
      return [];
    }
    const values: JsonValue[] = [];
    let broken = 0;
    for (const line of text.split("\n")) {
      if (line === "") continue;
      try {
        values.push(JSON.parse(line));
      } catch {
        broken++;
      }
    }
    if (broken > 0) report(`${file}: ${broken} of its lines cannot be read and are passed over`);
    return values;
  }

  /** @param values most important first; asked when they are written */
  writeSoon(values: () => Iterable<JsonValue>): void {
    this.#due = values;
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_AFTER_MS).unref();
  }

  /** Resolves when all that was asked for is on disk, or was told not to be. */
  async settled(): Promise<void> {
    await this.#write();
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#turns.run(async () => {
      const values = this.#due;
      this.#due = undefined;
      if (values === undefined) return;
      const { file, report } = this.#options;
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await replaceFile(file, this.#textOf(values()), { mode: 0o600 });
      } catch (error) {
        report(`${file} is not kept: ${describeError(error)}`);
      }
    });
  }

  #textOf(values: Iterable<JsonValue>): string {
    const lines: string[] = [];
    let left = this.#options.maxBytes;
    for (const value of values) {
      const line = `${JSON.stringify(value)}\n`;
      left -= Buffer.byteLength(line);
      if (left < 0) break;
      lines.push(line);
    }
    return lines.join("");
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
