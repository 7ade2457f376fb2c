/** Numbers the states of the trust bundle: a higher number for each other content, also over restarts. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { replaceFile } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { InTurn } from "../runtime/in-turn.ts";
import { readRegularFile } from "../runtime/regular-file.ts";

const FILE_MODE = 0o600;
/** A number and a hash. */
const MAX_BYTES = 4_096;

/** The file that remembers the last number cannot be read. */
export class BundleSequenceError extends HauberkError {
  readonly code = "HAUBERK_BUNDLE_SEQUENCE";
}

interface Remembered {
  readonly sequence: number;
  readonly digest: string;
}

export class BundleSequence {
  readonly #path: string;
  #last: Remembered;
  readonly #writing = new InTurn();

  private constructor(path: string, last: Remembered) {
    this.#path = path;
    this.#last = last;
  }

  /**
   * Reads `DIRECTORY/ca/bundle-sequence.json`, where it was left.
   *
   * @throws BundleSequenceError
   */
  static async open(directory: string): Promise<BundleSequence> {
    const path = join(directory, "ca", "bundle-sequence.json");
    return new BundleSequence(path, await read(path));
  }

  /** The number of this content; a new one is durable before it is told. */
  of(content: string): Promise<number> {
    return this.#writing.run(() => this.#of(content));
  }

  async #of(content: string): Promise<number> {
    const digest = createHash("sha256").update(content).digest("hex");
    if (digest !== this.#last.digest) {
      const next = { sequence: this.#last.sequence + 1, digest };
      await replaceFile(this.#path, `${JSON.stringify(next)}\n`, { mode: FILE_MODE });
      this.#last = next;
    }
    return this.#last.sequence;
  }
}

async function read(path: string): Promise<Remembered> {
  try {
    const { bytes } = await readRegularFile(path, { maxBytes: MAX_BYTES, links: "refused" });
    const parsed: unknown = JSON.parse(bytes.toString("utf8"));
    if (isRemembered(parsed)) return parsed;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      return { sequence: 0, digest: "" };
    throw new BundleSequenceError(`${path} cannot be read`, { cause });
  }
  throw new BundleSequenceError(`${path} is not what was written there`);
}

function isRemembered(value: unknown): value is Remembered {
  return (
    typeof value === "object" &&
    value !== null &&
    "sequence" in value &&
    Number.isSafeInteger(value.sequence) &&
    "digest" in value &&
    typeof value.digest === "string"
  );
}
