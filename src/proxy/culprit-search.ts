/** Finds the process behind a foreign connection, for the log: a look at every process, so once a second at most. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../runtime/clock.ts";
import { Allowance } from "./allowance.ts";
import { commandName, findHolders, processIds } from "./process-tree.ts";

export interface ForeignProcess {
  readonly processId: number;
  readonly command: string;
}

const PROCESSES_AT_ONCE = 8;

type Culprits = ReadonlyMap<string, { readonly processId: number }>;

export class CulpritSearch {
  readonly #allowance: Allowance;
  #next: { readonly inodes: Set<string>; readonly found: Promise<Culprits> } | undefined;

  constructor(clock: Clock) {
    this.#allowance = new Allowance({ perSecond: 1, clock });
  }

  /** Those who ask in the same turn are searched for together. @returns undefined also when it was not looked for */
  async find(inode: string): Promise<ForeignProcess | undefined> {
    if (this.#next === undefined) {
      if (this.#allowance.take() === "spent") return undefined;
      const inodes = new Set<string>();
      this.#next = { inodes, found: this.#searchNextTurn(inodes) };
    }
    this.#next.inodes.add(inode);
    const holder = (await this.#next.found).get(inode);
    return holder && { ...holder, command: commandName(holder.processId) };
  }

  async #searchNextTurn(inodes: ReadonlySet<string>): Promise<Culprits> {
    await nextTurn();
    this.#next = undefined;
    return search(inodes);
  }
}

async function search(inodes: ReadonlySet<string>): Promise<Culprits> {
  const processes = processIds().map((processId) => ({ processId }));
  const found = new Map<string, { readonly processId: number }>();
  for (let at = 0; at < processes.length && found.size < inodes.size; at += PROCESSES_AT_ONCE) {
    const some = processes.slice(at, at + PROCESSES_AT_ONCE);
    for (const [inode, holder] of findHolders(inodes, some)) found.set(inode, holder);
    await nextTurn();
  }
  return found;
}
