/**
 * Where authorities rest: `DIR/ca/ledger.json`, and a folder for each that it names, `DIR/ca/authorities/ID`. A folder is
 * complete before the ledger names it, and deleted after the ledger has given it up: what a crash leaves is swept. What a
 * ledger has named carries a mark, so that an older ledger that comes back is refused, and takes no key with it.
 */
import { randomUUID } from "node:crypto";
import { link, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { replaceFile, syncDirectory } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { readAuthorityFiles, readEarlierFiles, writtenFiles } from "./authority-files.ts";
import { type AuthorityLedger, hasGivenUp, keptIds } from "./authority-ledger.ts";
import { parseLedger, printLedger } from "./authority-ledger-text.ts";
import { AuthorityMemory } from "./authority-memory.ts";
import { AuthorityRefusedError, type HeldAuthority, holdAuthority } from "./held-authority.ts";
import {
  createKeyDirectory,
  inspectKeyDirectory,
  isDraftOf,
  KeyDirectoryError,
  listFiles,
  readTextFile,
  removeKeyDirectory,
} from "./key-directory.ts";

const LEDGER = "ledger.json";
const LEDGER_MODE = 0o600;
const AUTHORITIES = "authorities";
/** The layout of the first versions: one authority, these files, no ledger. */
const EARLIER = ["root-cert.pem", "ca-cert.pem", "ca-key.pem"];
const KEYS = ["ca-key.pem"];
/** A folder of ours, or a draft of one. */
const AUTHORITY_FOLDER = /^[0-9a-f]{16}(\.new-.*)?$/;
/** In the folder of an authority that a ledger has named: without, a crash left it before it was anybody's. */
const MARK = "named-by-the-ledger";
const MARK_MODE = 0o600;
/** Ends the name of a file that `replaceFile` was writing. */
const UNFINISHED = ".new";

/** The ledger on disk is not the one that this process wrote or read last; nothing was changed. */
export class AuthorityLedgerChangedError extends HauberkError {
  readonly code = "HAUBERK_AUTHORITY_LEDGER_CHANGED";
}

export class AuthorityStore {
  /** `DIR/ca` */
  readonly folder: string;
  readonly #memory: AuthorityMemory;
  #ledgerText = "";
  #version = 0;

  /** @param directory the mesh's data directory */
  constructor(directory: string) {
    this.folder = join(directory, "ca");
    this.#memory = new AuthorityMemory(directory);
  }

  /** What `open` found to be older than it was, in words. */
  notices: readonly string[] = [];

  /** Whether it was given up once, and nobody has prepared it since. */
  isReturned(id: string): boolean {
    return this.#memory.hasGivenUp(id);
  }

  /**
   * Finds the ledger, or makes it: out of the earlier layout, or with a first authority. Several processes may do so at
   * once; one is first, and all find its ledger.
   *
   * @throws AuthorityRefusedError, KeyDirectoryError when what is there must not be used (CA-44, CA-45)
   */
  async open(begin: {
    first(): HeldAuthority;
    ledgerOf(first: HeldAuthority, origin: "found" | "made"): AuthorityLedger;
  }): Promise<AuthorityLedger> {
    const found = await this.#layout();
    if (found === "nothing") await this.#create(begin);
    if (found === "earlier") await this.#takeOver(begin);
    const ledger = await this.#readLedger();
    await this.#refuseOlder(ledger);
    await this.sweep(ledger);
    await this.#markAll(ledger);
    await this.#memory.open();
    const ids = ledger.authorities.map(({ id }) => id);
    this.notices = this.#memory.noticesOf({ folder: this.folder, version: this.#version, ids });
    return ledger;
  }

  /** @throws AuthorityRefusedError, KeyDirectoryError (CA-44, CA-45) */
  async read(id: string): Promise<HeldAuthority> {
    const folder = this.#folderOf(id);
    try {
      const held = holdAuthority(await readAuthorityFiles(folder));
      if (held.id === id) return held;
    } catch (cause) {
      if (cause instanceof KeyDirectoryError && (await listFiles(folder)).length === 0)
        throw new KeyDirectoryError(
          `${folder} is missing, but ${this.#ledgerPath} names it: if one of them came from a backup, put the other one of the same backup, or the newest of both, beside it`,
          { cause },
        );
      if (!(cause instanceof AuthorityRefusedError)) throw cause;
      throw new AuthorityRefusedError(`the authority in ${folder} is refused`, { cause });
    }
    throw new AuthorityRefusedError(
      `the authority in ${folder} is another: its certificate changed`,
    );
  }

  /** When it returns, the folder is on disk and can be read back; the ledger does not name it yet. */
  async add(held: HeldAuthority): Promise<HeldAuthority> {
    await createKeyDirectory(this.#folderOf(held.id), writtenFiles(held.material));
    return this.read(held.id);
  }

  /** Replaces what may change about an authority that stays the same: its bundle of roots and its revocation lists. */
  async update(held: HeldAuthority): Promise<void> {
    const lists = ["root-cert.pem", "ca-crl.pem"];
    for (const { name, text, mode } of writtenFiles(held.material))
      if (lists.includes(name))
        await replaceFile(join(this.#folderOf(held.id), name), text, { mode });
    if (held.material.crlsPem.length > 0) return;
    await rm(join(this.#folderOf(held.id), "ca-crl.pem"), { force: true });
    await syncDirectory(this.#folderOf(held.id));
  }

  /**
   * When it returns, the new ledger counts.
   *
   * @param change.from what counted until now; `came` was given to `add` for it
   * @throws AuthorityLedgerChangedError
   */
  async replaceLedger(
    ledger: AuthorityLedger,
    { from, came }: { readonly from: AuthorityLedger; readonly came?: string | undefined },
  ): Promise<void> {
    await this.requireUnchanged();
    const version = Math.max(this.#version, this.#memory.version) + 1;
    const text = printLedger(ledger, version);
    await replaceFile(this.#ledgerPath, text, { mode: LEDGER_MODE });
    this.#ledgerText = text;
    this.#version = version;
    // It counts already: what fails from here on is made up for at the next start.
    await this.#markAll(ledger).catch(() => undefined);
    const gone = keptIds(from).filter((id) => hasGivenUp(ledger, id));
    await this.#memory.record({ version, gone, came });
  }

  /**
   * Two processes that both turn one ledger would undo each other; and after a write that failed half-way, nobody knows
   * which ledger will be found.
   *
   * @throws AuthorityLedgerChangedError
   */
  async requireUnchanged(): Promise<void> {
    if ((await readTextFile(this.#ledgerPath)) === this.#ledgerText) return;
    throw new AuthorityLedgerChangedError(
      `${this.#ledgerPath} was changed by another process, or by a write that failed: start the control plane again`,
    );
  }

  /** Deletes what the ledger has given up: revoked keys; and what a crash left before any ledger had named it. */
  async sweep(ledger: AuthorityLedger): Promise<void> {
    for (const name of await this.#unnamed(ledger))
      if (hasGivenUp(ledger, name) || !(await this.#isMarked(name)))
        await removeKeyDirectory(this.#folderOf(name), KEYS);
    for (const id of keptIds(ledger)) await removeFiles(this.#folderOf(id), isUnfinished);
    await removeFiles(this.folder, (name) => EARLIER.includes(name) || isUnfinishedLedger(name));
    await this.#sweepDrafts();
  }

  /** Folders that the ledger does not name. */
  async #unnamed(ledger: AuthorityLedger): Promise<readonly string[]> {
    const kept = new Set(keptIds(ledger));
    const folders = await listFiles(join(this.folder, AUTHORITIES));
    return folders.filter((one) => AUTHORITY_FOLDER.test(one) && !kept.has(one));
  }

  /** @throws AuthorityRefusedError when there is an authority that only a later ledger can have named */
  async #refuseOlder(ledger: AuthorityLedger): Promise<void> {
    for (const id of await this.#unnamed(ledger)) {
      if (hasGivenUp(ledger, id) || !(await this.#isMarked(id))) continue;
      throw new AuthorityRefusedError(
        `${this.#ledgerPath} is older than the authorities beside it: it knows nothing of ${id}; put the newest ledger back; if that is lost, move ${this.#folderOf(id)} out of the data directory, and the authorities of this ledger count`,
      );
    }
  }

  async #isMarked(name: string): Promise<boolean> {
    return (await listFiles(this.#folderOf(name))).includes(MARK);
  }

  async #markAll(ledger: AuthorityLedger): Promise<void> {
    for (const id of keptIds(ledger)) {
      const names = await listFiles(this.#folderOf(id));
      if (names.length === 0 || names.includes(MARK)) continue;
      const mark = await open(join(this.#folderOf(id), MARK), "a", MARK_MODE);
      await mark.close();
      await syncDirectory(this.#folderOf(id));
    }
  }

  async #create(begin: Parameters<AuthorityStore["open"]>[0]): Promise<void> {
    const first = begin.first();
    const ledger = printLedger(begin.ledgerOf(first, "made"), 0);
    const mark = { name: MARK, text: "", mode: MARK_MODE } as const;
    const files = [...writtenFiles(first.material), mark].map((file) => ({
      ...file,
      name: join(AUTHORITIES, first.id, file.name),
    }));
    await createKeyDirectory(this.folder, [
      ...files,
      { name: LEDGER, text: ledger, mode: LEDGER_MODE },
    ]);
  }

  /** The earlier files go last, in `sweep`: until the ledger is there they are the authority. */
  async #takeOver(begin: Parameters<AuthorityStore["open"]>[0]): Promise<void> {
    try {
      const earlier = await this.#readEarlier();
      await this.add(earlier);
      await this.#beginLedger(begin.ledgerOf(earlier, "found"));
    } catch (error) {
      // Another process has taken them over meanwhile, and swept.
      if ((await this.#layout()) !== "ledger") throw error;
    }
  }

  /** @throws where there is a ledger already */
  async #beginLedger(ledger: AuthorityLedger): Promise<void> {
    const draft = `${this.#ledgerPath}.${randomUUID()}${UNFINISHED}`;
    await replaceFile(draft, printLedger(ledger, 0), { mode: LEDGER_MODE });
    await link(draft, this.#ledgerPath);
    await syncDirectory(this.folder);
  }

  async #readEarlier(): Promise<HeldAuthority> {
    await inspectKeyDirectory(this.folder, EARLIER);
    const brought = await readEarlierFiles(this.folder);
    try {
      return holdAuthority(brought);
    } catch (cause) {
      throw new AuthorityRefusedError(`the authority in ${this.folder} is refused`, { cause });
    }
  }

  async #layout(): Promise<"nothing" | "earlier" | "ledger"> {
    const names = await listFiles(this.folder);
    if (names.includes(LEDGER)) return "ledger";
    if (names.some((name) => EARLIER.includes(name))) return "earlier";
    return (await inspectKeyDirectory(this.folder, [LEDGER])) === "absent" ? "nothing" : "ledger";
  }

  async #readLedger(): Promise<AuthorityLedger> {
    const text = await readTextFile(this.#ledgerPath);
    this.#ledgerText = text;
    try {
      const { ledger, version } = parseLedger(text);
      this.#version = version;
      return ledger;
    } catch (cause) {
      throw new AuthorityRefusedError(`${this.#ledgerPath} is refused`, { cause });
    }
  }

  /** Beside `DIR/ca`: no draft can take its place any more. Whoever is filling one deletes it too. */
  async #sweepDrafts(): Promise<void> {
    const parent = dirname(this.folder);
    for (const name of await listFiles(parent))
      if (AuthorityMemory.isDraft(name)) await rm(join(parent, name), { force: true });
      else if (isDraftOf(name, basename(this.folder)))
        await removeKeyDirectory(join(parent, name), []).catch(() => undefined);
  }

  get #ledgerPath(): string {
    return join(this.folder, LEDGER);
  }

  #folderOf(id: string): string {
    return join(this.folder, AUTHORITIES, id);
  }
}

const isUnfinished = (name: string): boolean => name.endsWith(UNFINISHED);
const isUnfinishedLedger = (name: string): boolean =>
  name.startsWith(`${LEDGER}.`) && isUnfinished(name);

async function removeFiles(folder: string, isLeft: (name: string) => boolean): Promise<void> {
  const left = (await listFiles(folder)).filter(isLeft);
  for (const name of left) await rm(join(folder, name), { force: true });
  if (left.length > 0) await syncDirectory(folder);
}
