/**
 * One kubeconfig for all meshes that a user runs on this machine, with a context each. Every mesh writes an entry of its
 * own and the file is made anew from all entries, so that no mesh has to read what another is writing.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { replaceFile } from "../../../runtime/atomic-file.ts";
import { HauberkError } from "../../../runtime/hauberk-error.ts";
import { type KubeconfigEntry, printKubeconfig } from "./kubeconfig.ts";

const ENTRIES = "clusters";
const SECRET_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const ENTRY = /^[0-9a-f]{64}\.json$/;
/** How often the file is made anew while others write entries. */
const ATTEMPTS = 10;

/** The folder of the shared kubeconfig must not be used: it is another user's, or open to others. */
export class SharedKubeconfigError extends HauberkError {
  readonly code = "HAUBERK_SHARED_KUBECONFIG";
}

interface StoredEntry extends KubeconfigEntry {
  readonly dataDirectory: string;
  /** Folders that its pods were shown when they started; none where they share all of the machine's files. */
  readonly shownToPods?: readonly string[];
}

function entryName(context: string): string {
  return `${createHash("sha256").update(context).digest("hex")}.json`;
}

/** @returns `$XDG_STATE_HOME/hauberk`, by default `~/.local/state/hauberk` */
export function sharedKubeconfigFolder(environment: NodeJS.ProcessEnv): string {
  const state = environment["XDG_STATE_HOME"] ?? "";
  const home = environment["HOME"] ?? homedir();
  return join(isAbsolute(state) ? state : join(home, ".local", "state"), "hauberk");
}

export class SharedKubeconfig {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }

  get file(): string {
    return join(this.#folder, "kubeconfig");
  }

  /**
   * Of two meshes with one name, the context leads to the one that was added last.
   *
   * @throws SharedKubeconfigError
   */
  async add(
    entry: KubeconfigEntry,
    dataDirectory: string,
    shownToPods: readonly string[] = [],
  ): Promise<void> {
    await mkdir(this.#entries, { recursive: true, mode: FOLDER_MODE });
    for (const folder of [this.#folder, this.#entries]) await refuseOpenFolder(folder);
    const stored: StoredEntry = { ...entry, dataDirectory, shownToPods };
    await replaceFile(this.#entryFile(entry.name), JSON.stringify(stored), { mode: SECRET_MODE });
    await this.#rewrite(entry.name);
  }

  /** @returns names of other meshes that run, whose pods were shown a folder around this one */
  async showing(dataDirectory: string): Promise<readonly string[]> {
    const own = await realpath(dataDirectory);
    const entries = (await this.#readEntries()).filter(
      (entry) => entry.dataDirectory !== dataDirectory,
    );
    const isAround = async (folder: string): Promise<boolean> =>
      `${own}/`.startsWith(`${await realpath(folder).catch(() => folder)}/`);
    const shows = await Promise.all(
      entries.map(async ({ shownToPods = [] }) =>
        (await Promise.all(shownToPods.map(isAround))).includes(true),
      ),
    );
    return entries.filter((_, index) => shows[index]).map(({ name }) => name);
  }

  /** Leaves an entry of that name alone that another mesh has written since. */
  async remove(name: string, dataDirectory: string): Promise<void> {
    const found = await readEntry(this.#entryFile(name));
    if (found?.dataDirectory !== dataDirectory) return;
    await rm(this.#entryFile(name), { force: true });
    await this.#rewrite();
  }

  get #entries(): string {
    return join(this.#folder, ENTRIES);
  }

  #entryFile(name: string): string {
    return join(this.#entries, entryName(name));
  }

  /** Whoever writes last has looked at the entries after everybody wrote theirs. */
  async #rewrite(current?: string): Promise<void> {
    let written: string | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entries = await this.#readEntries();
      const inUse = current ?? entries.at(-1)?.name;
      const text = printKubeconfig(entries, inUse);
      if (text === written) return;
      await replaceFile(this.file, text, { mode: SECRET_MODE });
      written = text;
    }
  }

  async #readEntries(): Promise<readonly StoredEntry[]> {
    const names = (await readdir(this.#entries)).filter((name) => ENTRY.test(name));
    const entries = await Promise.all(names.map((name) => readEntry(join(this.#entries, name))));
    return entries
      .filter((entry) => entry !== undefined)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }
}

/** Where a link leads, somebody else may decide. @throws SharedKubeconfigError */
async function refuseOpenFolder(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (!found.isDirectory()) throw new SharedKubeconfigError(`${folder} is no folder, or a link`);
  if (process.getuid !== undefined && found.uid !== process.getuid())
    throw new SharedKubeconfigError(`${folder} belongs to another user`);
  if ((found.mode & OTHERS) !== 0)
    throw new SharedKubeconfigError(
      `${folder} is open to other users; close it with: chmod 700 ${folder}`,
    );
}

/** @returns where the mesh of that context keeps its state; undefined where there is no such context */
export function sharedDataDirectory(folder: string, context: string): string | undefined {
  const file = join(folder, ENTRIES, entryName(context));
  return existsSync(file) ? parsedEntry(readFileSync(file, "utf8"))?.dataDirectory : undefined;
}

/** @returns where the meshes that it leads to keep their state; none where it cannot be read */
export function sharedDataDirectories(folder: string): readonly string[] {
  try {
    return readdirSync(join(folder, ENTRIES))
      .filter((name) => ENTRY.test(name))
      .flatMap(
        (name) =>
          parsedEntry(readFileSync(join(folder, ENTRIES, name), "utf8"))?.dataDirectory ?? [],
      );
  } catch {
    return []; // there is none, or an entry went meanwhile: its mesh has ended
  }
}

/** @returns undefined for what is gone meanwhile, or is no entry */
async function readEntry(file: string): Promise<StoredEntry | undefined> {
  try {
    return parsedEntry(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

function parsedEntry(text: string): StoredEntry | undefined {
  try {
    const value: Partial<StoredEntry> = JSON.parse(text);
    const { name, server, authorityPem, token, dataDirectory } = value;
    const isWhole = [name, server, authorityPem, token, dataDirectory].every(
      (field) => typeof field === "string",
    );
    return isWhole ? (value as StoredEntry) : undefined;
  } catch {
    return undefined;
  }
}
