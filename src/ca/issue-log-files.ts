/** The files of the issue log: one that grows, and full ones, kept until all they tell of has expired. */
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../runtime/atomic-file.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { DurableLines } from "./durable-lines.ts";

const NAME = "issued.jsonl";
/** About 20,000 certificates. */
const FILE_BYTES = 8 * 1024 * 1024;
/** With the growing one 128 MiB: what a mesh of 10,000 sidecars issues in two weeks. */
const FULL_FILES = 15;
/** Numbered, so that their order does not hang on the clock. */
const FULL_NAME = /^issued-(\d{8})-until-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.jsonl$/;
const NUMBER_DIGITS = 8;
const NOT_AFTER = /"notAfter":"([^"]+)"/g;

export interface IssueLogFilesOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: { readonly fileBytes: number; readonly fullFiles: number };
}

export class IssueLogFiles {
  readonly path: string;
  readonly #options: IssueLogFilesOptions;
  /** Absent when the growing file could not be opened anew. */
  #lines: DurableLines | undefined;
  /** When the last certificate of the growing file expires. */
  #notAfter: Date;

  private constructor(
    options: IssueLogFilesOptions,
    opened: { readonly lines: DurableLines; readonly notAfter: Date },
  ) {
    this.path = pathOf(options);
    this.#options = options;
    this.#lines = opened.lines;
    this.#notAfter = opened.notAfter;
  }

  static async open(options: IssueLogFilesOptions): Promise<IssueLogFiles> {
    const lines = await DurableLines.open(pathOf(options));
    const notAfter = lastNotAfter(await lines.read());
    const files = new IssueLogFiles(options, { lines, notAfter });
    await files.#forget();
    return files;
  }

  /** What is in them, a file at a time, the oldest first. */
  async *texts(): AsyncGenerator<string> {
    const { directory } = this.#options;
    for (const name of (await readdir(directory)).sort())
      if (FULL_NAME.test(name)) yield await readFile(join(directory, name), "utf8");
    yield (await this.#lines?.read()) ?? "";
  }

  /** @param options.notAfter when the last certificate that the lines tell of expires */
  async append(lines: string, { notAfter }: { readonly notAfter: Date }): Promise<void> {
    const { fileBytes = FILE_BYTES } = this.#options.limits ?? {};
    const size = this.#lines?.size ?? 0;
    if (size > 0 && size + Buffer.byteLength(lines) > fileBytes) await this.#turnPage();
    this.#lines ??= await DurableLines.open(this.path);
    await this.#lines.append(lines);
    if (notAfter > this.#notAfter) this.#notAfter = notAfter;
  }

  async close(): Promise<void> {
    await this.#lines?.close();
    this.#lines = undefined;
  }

  async #turnPage(): Promise<void> {
    const { directory } = this.#options;
    await this.close();
    const number = `${(await lastNumber(directory)) + 1}`.padStart(NUMBER_DIGITS, "0");
    const name = `issued-${number}-until-${compact(this.#notAfter)}.jsonl`;
    await rename(this.path, join(directory, name));
    await syncDirectory(directory);
    this.#notAfter = new Date(0);
    await this.#forget();
  }

  /** Removes full files: those whose certificates have all expired, and the oldest when there are too many. */
  async #forget(): Promise<void> {
    const { directory, clock, log, limits } = this.#options;
    const { fullFiles = FULL_FILES } = limits ?? {};
    const now = clock.now();
    const kept: string[] = [];
    for (const name of (await readdir(directory)).sort()) {
      const until = endOf(name);
      if (until === undefined) continue;
      if (until <= now) await rm(join(directory, name));
      else kept.push(name);
    }
    for (const name of kept.slice(0, Math.max(0, kept.length - fullFiles))) {
      await rm(join(directory, name));
      log.warn("a file of the issue log was removed although some of its certificates are valid", {
        file: name,
        because: `at most ${fullFiles} full files are kept`,
      });
    }
  }
}

function pathOf({ directory }: IssueLogFilesOptions): string {
  return join(directory, NAME);
}

/** @returns undefined for another file's name */
function endOf(name: string): Date | undefined {
  const parts = FULL_NAME.exec(name);
  if (parts === null) return undefined;
  const [, , year, month, day, hour, minute, second] = parts;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** `20260304T050607Z` */
function compact(time: Date): string {
  return time.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

async function lastNumber(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).map((name) => Number(FULL_NAME.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

function lastNotAfter(lines: string): Date {
  const times = [...lines.matchAll(NOT_AFTER)].map(([, text = ""]) => Date.parse(text));
  return new Date(times.reduce((last, time) => Math.max(last, time || 0), 0));
}
