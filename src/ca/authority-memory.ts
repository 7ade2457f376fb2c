/**
 * What was given up, told beside `DIR/ca` and not in it: who puts an older copy of that folder back does not put this back
 * too, so it is known then. Whoever restores the whole data directory is not found out; nor whoever deletes this file.
 */
import { join } from "node:path";
import { replaceFile } from "../runtime/atomic-file.ts";
import { readRegularFile } from "../runtime/regular-file.ts";

const FILE = "authority-history.json";
const MODE = 0o600;
const MAX_BYTES = 65_536;
const MAX_GIVEN_UP = 200;
const ID = /^[0-9a-f]{16}$/;

interface Remembered {
  /** Of the newest ledger. */
  readonly version: number;
  /** Ids of authorities that were revoked, or dropped before they signed. */
  readonly givenUp: readonly string[];
}

const NOTHING: Remembered = { version: 0, givenUp: [] };

export class AuthorityMemory {
  readonly #path: string;
  #last: Remembered = NOTHING;

  /** @param directory the mesh's data directory */
  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  /** Whether a name in the data directory is that of a file which a crash left half-written. */
  static isDraft(name: string): boolean {
    return name.startsWith(`${FILE}.`) && name.endsWith(".new");
  }

  get version(): number {
    return this.#last.version;
  }

  hasGivenUp(id: string): boolean {
    return this.#last.givenUp.includes(id);
  }

  /** What cannot be read is as if it were not there: no mesh stands still for want of a warning. */
  async open(): Promise<void> {
    this.#last = await read(this.#path).catch(() => NOTHING);
  }

  /** What people should know when the folder is older than it was: at most one sentence. */
  noticesOf(found: {
    readonly folder: string;
    readonly version: number;
    /** Of those that are trusted. */
    readonly ids: readonly string[];
  }): readonly string[] {
    const { folder, version, ids } = found;
    if (version >= this.version) return [];
    const returned = ids
      .filter((id) => this.hasGivenUp(id))
      .map((id) => `authority ${id}, which was given up, is trusted again`);
    const what = `an older state of the authorities was put back: ${folder} has version ${version}, and this mesh was at ${this.version} before`;
    const advice =
      returned.length > 0
        ? "rotate with `hauberk ca prepare`, unless it is meant"
        : "look at `hauberk ca status`";
    return [[what, ...returned, advice].join("; ")];
  }

  /**
   * After a change that is durable already; it waits for nothing, so what cannot be written now is written with the next.
   *
   * @param change.gone no longer in the ledger; `came` is meant to be there, whatever was before
   */
  async record(change: {
    readonly version: number;
    readonly gone: readonly string[];
    readonly came: string | undefined;
  }): Promise<void> {
    const { version, gone, came } = change;
    const givenUp = [...new Set([...this.#last.givenUp, ...gone])].filter((id) => id !== came);
    this.#last = { version, givenUp: givenUp.slice(-MAX_GIVEN_UP) };
    const text = `${JSON.stringify(this.#last)}\n`;
    await replaceFile(this.#path, text, { mode: MODE }).catch(() => undefined);
  }
}

async function read(path: string): Promise<Remembered> {
  const { bytes } = await readRegularFile(path, { maxBytes: MAX_BYTES, links: "refused" });
  const parsed: unknown = JSON.parse(bytes.toString("utf8"));
  return isRemembered(parsed) ? parsed : NOTHING;
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== "object" || value === null) return false;
  if (!("version" in value) || !("givenUp" in value) || !Array.isArray(value.givenUp)) return false;
  const isId = (id: unknown): boolean => typeof id === "string" && ID.test(id);
  return Number.isSafeInteger(value.version) && value.givenUp.every(isId);
}
