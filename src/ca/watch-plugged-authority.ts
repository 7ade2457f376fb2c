/** Follows the files of an authority that somebody brings (CA-46): a bad set is told, and the last good one stays. */
import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type PluggedAuthority, PluggedAuthorityError } from "./plugged-authority.ts";
import { awaitsPluggedFiles, readPluggedFiles } from "./plugged-authority-files.ts";
import { composePluggedAuthority } from "./read-plugged-authority.ts";

/** Files are written one after the other; a change counts once it has been quiet for this long (CA-46). */
const QUIET_MS = 100;
/** Found by looking, should the operating system's notice get lost; what expires meanwhile is found so too. */
const POLL_MS = 5_000;

export interface PluggedAuthorityWatch {
  close(): void;
}

export interface WatchPluggedAuthorityOptions {
  /** A set that is good and is not the one told before, or follows one that was refused; listeners must not throw. */
  readonly onChange: (authority: PluggedAuthority) => void;
  /** A folder that holds none of the files, for as long as it does. */
  readonly onEmpty?: () => void;
  /** Once for each set of reasons. */
  readonly onRefused: (error: PluggedAuthorityError) => void;
  readonly log: Log;
  /** What is known already; absent: what is there is told first. */
  readonly initial?: PluggedAuthority;
  readonly clock?: Clock;
  /** How often the files are looked at without a notice, in milliseconds. */
  readonly pollMs?: number;
}

export function watchPluggedAuthority(
  directory: string,
  options: WatchPluggedAuthorityOptions,
): PluggedAuthorityWatch {
  return new FileWatch(directory, options);
}

/** Equal for equal authorities, whatever else is in their files; a hash, so that no key is kept. */
export function fingerprintOfAuthority(authority: PluggedAuthority): string {
  const { certificatePem, privateKey, intermediatesPem, rootsPem, crlsPem } = authority;
  const key = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
  const parts = [certificatePem, key, intermediatesPem, rootsPem, crlsPem];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

class FileWatch implements PluggedAuthorityWatch {
  readonly #directory: string;
  readonly #options: WatchPluggedAuthorityOptions;
  readonly #poll: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;
  #told: string | undefined;
  #refused: string | undefined;

  constructor(directory: string, options: WatchPluggedAuthorityOptions) {
    this.#directory = directory;
    this.#options = options;
    if (options.initial !== undefined) this.#told = fingerprintOfAuthority(options.initial);
    this.#poll = setInterval(() => this.#enqueue(), options.pollMs ?? POLL_MS);
    this.#poll.unref();
    this.#watch();
    this.#enqueue();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    this.#watcher?.close();
  }

  #enqueue(): void {
    this.#reading = this.#reading
      .then(() => this.#read())
      .catch((error: unknown) =>
        this.#options.log.error("the custom authority was not read", {
          error: describeError(error),
        }),
      );
  }

  async #read(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#watcher === undefined) this.#watch();
    if (await awaitsPluggedFiles(this.#directory)) {
      this.#options.onEmpty?.();
      if (this.#isNew) return;
    }
    const before = await readPluggedFiles(this.#directory);
    const { clock = systemClock } = this.#options;
    const composed = composePluggedAuthority(before, clock.now());
    const isKnown =
      "problems" in composed
        ? this.#refused === composed.problems.join("\n")
        : this.#told === fingerprintOfAuthority(composed) && this.#refused === undefined;
    if (isKnown) return;
    await delay(QUIET_MS);
    const after = await readPluggedFiles(this.#directory);
    if (this.#isClosed) return;
    if (after.fingerprint !== before.fingerprint) return this.#soon(); // still being written
    if ("problems" in composed) this.#refuse(composed.problems);
    else this.#take(composed);
  }

  #refuse(problems: readonly string[]): void {
    this.#refused = problems.join("\n");
    this.#options.onRefused(new PluggedAuthorityError(this.#directory, problems));
  }

  #take(authority: PluggedAuthority): void {
    const fingerprint = fingerprintOfAuthority(authority);
    const wasRefused = this.#refused !== undefined;
    this.#refused = undefined;
    if (wasRefused) this.#options.log.info("the custom authority is good again", this.#place());
    else if (fingerprint === this.#told) return;
    this.#told = fingerprint;
    this.#options.onChange(authority);
  }

  /** Nothing was told of it yet. */
  get #isNew(): boolean {
    return this.#told === undefined && this.#refused === undefined;
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#enqueue(), QUIET_MS);
  }

  /** The folder, not its files: they are replaced by rename, as is the link of a mounted secret. */
  #watch(): void {
    try {
      const watcher = watch(this.#directory, () => this.#soon());
      watcher.on("error", (error) => this.#lost(watcher, error));
      this.#watcher = watcher;
    } catch (error) {
      this.#lost(undefined, error);
    }
  }

  #lost(watcher: FSWatcher | undefined, error: unknown): void {
    watcher?.close();
    if (this.#watcher === watcher) this.#watcher = undefined;
    if (watcher === undefined) return; // not there yet: it is looked for every few seconds
    const fields = { ...this.#place(), error: describeError(error) };
    this.#options.log.warn("file watch ended; the files are looked at every few seconds", fields);
  }

  #place(): { readonly directory: string } {
    return { directory: this.#directory };
  }
}
