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
import type { KeySetState, KeySetStates } from "./key-sets.ts";

const FILE = "token-keys.json";
const MODE = 0o600;
/** Of all sources together. */
const MAX_BYTES = 67_108_864;

export class KeySetMemory {
  readonly #path: string;
  readonly #log: Log;
  #written: string | undefined;
  /** Writes go one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @param dataDirectory of the mesh, closed to others */
  constructor(dataDirectory: string, log: Log) {
    this.#path = join(dataDirectory, FILE);
    this.#log = log;
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

  /** Of several while the disk is slow, each; there are few. */
  remember(states: KeySetStates): void {
    const kept = [...states].flatMap(([name, { jwks, fetchedAt }]) =>
      jwks === undefined ? [] : [[name, { jwks, fetchedAt }] as const],
    );
    const text = JSON.stringify(Object.fromEntries(kept));
    if (text === this.#written) return;
    this.#written = text;
    this.#turn = this.#turn
      .then(() => replaceFile(this.#path, text, { mode: MODE }))
      .catch((error: unknown) => this.#warn("remember", error));
  }

  /** Once what is under way is done. */
  async close(): Promise<void> {
    await this.#turn;
  }

  async #read(): Promise<string> {
    try {
      const { bytes } = await readRegularFile(this.#path, {
        maxBytes: MAX_BYTES,
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

function stateIn(value: unknown): KeySetState | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { jwks, fetchedAt }: { readonly jwks?: unknown; readonly fetchedAt?: unknown } = value;
  if (typeof jwks !== "string" || typeof fetchedAt !== "string") return undefined;
  return { jwks, fetchedAt };
}
