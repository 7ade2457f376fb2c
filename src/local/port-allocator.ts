/**
 * Gives every listener of the mesh its port on loopback. The same listener gets the same port again after a restart,
 * so that addresses already handed to programs stay true; meshes that start at the same time get different ports.
 */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { replaceFile } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { readStateFile } from "./mesh-state.ts";

/** Below the range from which Linux and macOS take the ports of outgoing connections. */
const FIRST_PORT = 20_000;
const BLOCK_SIZE = 100;
const BLOCK_COUNT = 100;
/** Keys remembered, in use or not. */
const MAX_KNOWN = 20_000;
export const LOOPBACK = "127.0.0.1";

/** Every port that a mesh on this machine may use is taken. */
export class NoPortLeftError extends HauberkError {
  readonly code = "HAUBERK_NO_PORT_LEFT";
}

/**
 * Takes blocks of ports. The first port of a block is the lease: whoever listens on it owns the block, and the operating
 * system ends the lease with the process.
 */
export class PortAllocator {
  readonly #file: string;
  /** Of this run and of the last one. */
  readonly #known: Map<string, number>;
  readonly #assigned: Map<string, number>;
  readonly #leases: Map<number, Server>;
  readonly #isTrial: boolean;

  private constructor(given: {
    readonly file: string;
    readonly known: Map<string, number>;
    readonly assigned?: Map<string, number>;
    readonly leases?: Map<number, Server>;
    readonly isTrial?: boolean;
  }) {
    this.#file = given.file;
    this.#known = given.known;
    this.#assigned = given.assigned ?? new Map();
    this.#leases = given.leases ?? new Map();
    this.#isTrial = given.isTrial ?? false;
  }

  /** @param file where the assignment is kept from one run to the next */
  static async open(file: string): Promise<PortAllocator> {
    return new PortAllocator({ file, known: await readAssignment(file) });
  }

  /**
   * One that gives what this one would give, so that it can be asked what might be: who has which port here, and in the
   * file, stays as it is. Blocks that it leases are this one's, which releases them.
   */
  trial(): PortAllocator {
    return new PortAllocator({
      file: this.#file,
      known: new Map(this.#known),
      assigned: new Map(this.#assigned),
      leases: this.#leases,
      isTrial: true,
    });
  }

  /**
   * Gives each key its port: the one it had, unless some other program has it now. Keys not asked for any more give
   * theirs back.
   *
   * @param keys all that are in use from now on
   * @param preferred what some of them would rather have, be it outside our blocks: theirs if nobody has it
   * @throws NoPortLeftError
   */
  async allocate(
    keys: readonly string[],
    preferred: ReadonlyMap<string, number> = new Map(),
  ): Promise<ReadonlyMap<string, number>> {
    const inUse = new Set(keys);
    for (const key of this.#assigned.keys()) if (!inUse.has(key)) this.#assigned.delete(key);
    await this.#assignPreferred(preferred);
    const wanted = keys.filter((key) => !this.#assigned.has(key));
    if (wanted.length > 0) {
      const free = await this.#findFree(wanted.length);
      this.#assign(wanted, free);
      if (this.#isTrial) return this.#assigned;
      const text = `${JSON.stringify(Object.fromEntries(this.#known), undefined, 2)}\n`;
      await replaceFile(this.#file, text, { mode: 0o600 });
    }
    return this.#assigned;
  }

  /** Lets other meshes have the ports. */
  async release(): Promise<void> {
    const closed = [...this.#leases.values()].map(
      (lease) => new Promise((done) => lease.close(done)),
    );
    await Promise.all(closed);
  }

  /** A lease keeps other meshes away that would find the port free, too, before we listen. */
  async #assignPreferred(preferred: ReadonlyMap<string, number>): Promise<void> {
    const taken = new Set(this.#assigned.values());
    for (const [key, port] of preferred) {
      if (this.#assigned.has(key) || taken.has(port) || isInBlocks(port)) continue;
      if (!this.#leases.has(port)) {
        const lease = await leasePort(port);
        if (lease === undefined) continue;
        this.#leases.set(port, lease);
      }
      if (!(await isFree(port))) continue;
      this.#assigned.set(key, port);
      taken.add(port);
    }
  }

  /** Leases blocks until they hold enough free ports; those of the last run come first. */
  async #findFree(count: number): Promise<readonly number[]> {
    const free: number[] = [];
    const taken = new Set(this.#assigned.values());
    for (const block of blockOrder(this.#file, this.#known)) {
      if (!this.#leases.has(block)) {
        const lease = await listenOn(block);
        if (lease === undefined) continue;
        this.#leases.set(block, lease);
      }
      for (const port of portsOf(block, this.#known)) {
        if (free.length >= count) return free;
        if (!taken.has(port) && (await isFree(port))) free.push(port);
      }
    }
    if (free.length >= count) return free;
    throw new NoPortLeftError(
      `${count} more ports are needed, and ${free.length} from ${FIRST_PORT} to ${FIRST_PORT + BLOCK_SIZE * BLOCK_COUNT - 1} can be had; stop other meshes on this machine`,
    );
  }

  #assign(wanted: readonly string[], free: readonly number[]): void {
    const open = new Set(free);
    for (const key of wanted) {
      const known = this.#known.get(key);
      if (known !== undefined && open.delete(known)) this.#assigned.set(key, known);
    }
    const rest = [...open];
    for (const key of wanted) {
      const port = this.#assigned.get(key) ?? rest.shift();
      if (port === undefined) throw new NoPortLeftError(`no port is left for ${key}`);
      this.#assigned.set(key, port);
      this.#known.set(key, port);
    }
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const key of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) return;
      if (!this.#assigned.has(key)) this.#known.delete(key);
    }
  }
}

async function readAssignment(file: string): Promise<Map<string, number>> {
  const value = await readStateFile(file);
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1])));
}

/** Whether we may give the port to somebody by ourselves: whoever wants it by number cannot be sure of it. */
export function isInBlocks(port: number): boolean {
  return port >= FIRST_PORT && port < FIRST_PORT + BLOCK_SIZE * BLOCK_COUNT;
}

/** First ports of all blocks, in the order in which to try them. */
function blockOrder(file: string, earlier: ReadonlyMap<string, number>): number[] {
  const start = createHash("sha256").update(file).digest().readUInt32BE() % BLOCK_COUNT;
  const known = [...earlier.values()]
    .filter((port) => port > FIRST_PORT && isInBlocks(port))
    .map((port) => port - (port % BLOCK_SIZE));
  const all = Array.from(
    { length: BLOCK_COUNT },
    (_, step) => FIRST_PORT + BLOCK_SIZE * ((start + step) % BLOCK_COUNT),
  );
  return [...new Set([...known, ...all])];
}

/** Those that were in use in the last run come first. */
function portsOf(block: number, earlier: ReadonlyMap<string, number>): ReadonlySet<number> {
  const all = Array.from({ length: BLOCK_SIZE - 1 }, (_, offset) => block + 1 + offset);
  const known = new Set(earlier.values());
  return new Set([...all.filter((port) => known.has(port)), ...all]);
}

/** A name that ends with the process, where the system has such; elsewhere nothing keeps two meshes apart that start at once. */
function leasePort(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    if (process.platform === "linux")
      server.listen({ path: `\0hauberk-port-${port}` }, () => resolve(server.unref()));
    else server.listen({ host: LOOPBACK, port: 0 }, () => resolve(server.unref()));
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port);
  if (server === undefined) return false;
  await new Promise((done) => server.close(done));
  return true;
}

function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => resolve(server.unref()));
  });
}
