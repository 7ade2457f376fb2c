/**
 * Key sets that were fetched, on disk: a control plane that starts anew while an issuer is away goes on with its keys (JWT-84). They
 * are public; whoever could change the file could replace the mesh's authority beside it.
 */
import { join } from "node:path";
import { readJsonObject } from "../../jwt/strict-json.ts";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { readRegularFile } from "../../runtime/regular-file.ts";
import type { KeySetState } from "./followed-key-set.ts";
import type { KeySetStates } from "./key-sets.ts";

const FILE = "token-keys.json";
const MODE = 0o600;
/** Of all sources together. */
const MAX_BYTES = 67_108_864;

export class KeySetMemory {
  readonly #path: string;
  readonly #log: Log;
  readonly #maxBytes: number;
  #written: string | undefined;
  /** What is to be written next: the newest alone. */
  #pending: KeySetStates | undefined;
  #writing: Promise<void> | undefined;
  #isToldOfSize = false;

  /**
   * @param dataDirectory of the mesh, closed to others
   * @param maxBytes of the file
   */
  constructor(dataDirectory: string, log: Log, maxBytes: number = MAX_BYTES) {
    this.#path = join(dataDirectory, FILE);
    this.#log = log;
    this.#maxBytes = maxBytes;
  }

  /** What cannot be read is as good as nothing: it is fetched again. */
  async recall(): Promise<KeySetStates> {
    const known = Object.entries(readJsonObject(await this.#read()) ?? {});
    return new Map(
      known.flatMap(([name, state]) => {
        const read = stateIn(state);
        return read === undefined ? [] : [[name, read] as const];
      }),
    );
  }

  /** Of several while the disk is slow, the last. */
  remember(states: KeySetStates): void {
    this.#pending = states;
    this.#writing ??= this.#writePending();
  }

  /** Once what is under way is done. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writePending(): Promise<void> {
    // All of one turn are one.
    await Promise.resolve();
    while (this.#pending !== undefined) {
      const states = this.#pending;
      this.#pending = undefined;
      await this.#write(this.#textOf(states));
    }
    this.#writing = undefined;
  }

  async #write(text: string): Promise<void> {
    if (text === this.#written) return;
    this.#written = text;
    try {
      await replaceFile(this.#path, text, { mode: MODE });
    } catch (error) {
      this.#warn("remember", error);
    }
  }

  /** No more than can be read again: the largest sets are left out. */
  #textOf(states: KeySetStates): string {
    const members = [...states].flatMap(([name, { jwks, fetchedAt }]) =>
      jwks === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify({ jwks, fetchedAt })}`],
    );
    const fitting = smallest(members, this.#maxBytes - "{}".length);
    this.#tellLeftOut(members.length - fitting.length);
    return `{${fitting.join(",")}}`;
  }

  #tellLeftOut(count: number): void {
    if (count > 0 && !this.#isToldOfSize)
      this.#log.warn("the largest sets of token keys are not remembered over a restart", {
        leftOut: count,
        maxBytes: this.#maxBytes,
      });
    this.#isToldOfSize = count > 0;
  }

  async #read(): Promise<string> {
    try {
      const { bytes } = await readRegularFile(this.#path, {
        maxBytes: this.#maxBytes,
        links: "refused",
      });
      return bytes.toString("utf8");
    } catch (error) {
      const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isAbsent) this.#warn("recall", error);
      return "{}";
    }
  }

  #warn(deed: string, error: unknown): void {
    const problem = describeError(error);
    this.#log.warn("the memory of token keys failed", { deed, problem });
  }
}

/** Those that fit together, a comma after each, in the order they had. */
function smallest(members: readonly string[], maxBytes: number): readonly string[] {
  let left = maxBytes;
  const sized = members.map((text, index) => ({ index, text, bytes: Buffer.byteLength(text) + 1 }));
  return sized
    .toSorted((one, other) => one.bytes - other.bytes)
    .filter(({ bytes }) => {
      left -= bytes;
      return left >= 0;
    })
    .toSorted((one, other) => one.index - other.index)
    .map(({ text }) => text);
}

function stateIn(value: unknown): KeySetState | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { jwks, fetchedAt }: { readonly jwks?: unknown; readonly fetchedAt?: unknown } = value;
  if (typeof jwks !== "string" || typeof fetchedAt !== "string") return undefined;
  return { jwks, fetchedAt };
}
