/**
 * Gives every listener of the mesh its port on loopback. The same listener gets the same port again after a restart,
 * so that addresses already handed to programs stay true; meshes that start at the same time get different ports.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { replaceFile } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Below the range from which Linux and macOS take the ports of outgoing connections. */
const FIRST_PORT = 20_000;
const BLOCK_SIZE = 100;
const BLOCK_COUNT = 100;
export const LOOPBACK = "127.0.0.1";

/** Every port that a mesh on this machine may use is taken. */
export class NoPortLeftError extends HauberkError {
  readonly code = "HAUBERK_NO_PORT_LEFT";
}

export interface AllocatedPorts {
  /** What was asked for, with its port. */
  readonly ports: ReadonlyMap<string, number>;
  /** Lets other meshes have the ports. */
  release(): Promise<void>;
}

/**
 * Takes blocks of ports. The first port of a block is the lease: whoever listens on it owns the block, and the operating
 * system ends the lease with the process.
 *
 * @param keys what needs a port
 * @param file where the assignment of the last run is kept
 * @throws NoPortLeftError
 */
export async function allocatePorts(
  keys: readonly string[],
  file: string,
): Promise<AllocatedPorts> {
  const earlier = await readAssignment(file);
  const leases: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(leases.map((lease) => new Promise((done) => lease.close(done))));
  };
  try {
    const free = await leaseFreePorts(keys.length, { file, earlier, leases });
    const ports = assignPorts(keys, { earlier, free });
    const text = `${JSON.stringify(Object.fromEntries(ports), undefined, 2)}\n`;
    await replaceFile(file, text, { mode: 0o600 });
    return { ports, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function readAssignment(file: string): Promise<ReadonlyMap<string, number>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return new Map(); // the first run
  }
  const value: unknown = JSON.parse(text);
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1])));
}

/** Leases blocks until they hold enough free ports; those of the last run come first. */
async function leaseFreePorts(
  count: number,
  {
    file,
    earlier,
    leases,
  }: { file: string; earlier: ReadonlyMap<string, number>; leases: Server[] },
): Promise<readonly number[]> {
  const free: number[] = [];
  for (const block of blockOrder(file, earlier)) {
    if (free.length >= count && leases.length > 0) return free;
    const lease = await listenOn(block);
    if (lease === undefined) continue;
    leases.push(lease);
    for (const port of portsOf(block, earlier)) {
      if (free.length >= count) break;
      if (await isFree(port)) free.push(port);
    }
  }
  if (free.length >= count) return free;
  throw new NoPortLeftError(
    `${count} ports are needed and ${free.length} from ${FIRST_PORT} to ${FIRST_PORT + BLOCK_SIZE * BLOCK_COUNT - 1} can be had; stop other meshes on this machine`,
  );
}

/** First ports of all blocks, in the order in which to try them. */
function blockOrder(file: string, earlier: ReadonlyMap<string, number>): number[] {
  const start = createHash("sha256").update(file).digest().readUInt32BE() % BLOCK_COUNT;
  const known = [...earlier.values()]
    .filter((port) => port > FIRST_PORT && port < FIRST_PORT + BLOCK_SIZE * BLOCK_COUNT)
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

function assignPorts(
  keys: readonly string[],
  { earlier, free }: { earlier: ReadonlyMap<string, number>; free: readonly number[] },
): ReadonlyMap<string, number> {
  const open = new Set(free);
  const assigned = new Map<string, number>();
  for (const key of keys) {
    const known = earlier.get(key);
    if (known !== undefined && open.delete(known)) assigned.set(key, known);
  }
  const rest = [...open];
  return new Map(keys.map((key) => [key, assigned.get(key) ?? rest.shift() ?? 0]));
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
