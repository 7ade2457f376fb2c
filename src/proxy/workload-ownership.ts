/**
 * Whether connections on loopback come from the pod's own processes: the outbound side speaks with the pod's identity,
 * so it must not serve others (design 4a). Needs Linux's `/proc`. However many strangers come, they are looked into
 * together, and little is spent on them.
 */
import { existsSync } from "node:fs";
import type { Clock } from "../runtime/clock.ts";
import { isRunning, type ProcessIdentity } from "../runtime/process-identity.ts";
import type { Watched } from "../runtime/watched.ts";
import type { AcceptedConnection } from "./accepted-connection.ts";
import { clientSocket } from "./client-sockets.ts";
import { CulpritSearch, type ForeignProcess } from "./culprit-search.ts";
import { findHolders, processTree } from "./process-tree.ts";
import { SharedRun } from "./shared-run.ts";

export type Ownership =
  | { readonly owner: "own-workload" }
  | { readonly owner: "foreign"; readonly problem: string; readonly process?: ForeignProcess }
  /** More ask than can be answered. */
  | { readonly owner: "not-asked" };

export interface OwnershipOptions {
  /** The first process of each container of the pod; empty before they run. */
  readonly processes: Watched<readonly ProcessIdentity[]>;
  readonly clock: Clock;
}

/** As many as one turn of the event loop may accept; each is one question to the kernel. */
const MAX_ASKING = 1_024;
/** How long a caller that seems foreign is kept waiting: a program can call before its supervisor names it. */
const PATIENCE_MS = 500;
const MAX_KEPT_WAITING = 64;
/** Processes below the first ones that lately called are looked at before the whole tree is. */
const MAX_KNOWN_CALLERS = 8;

/** Whether owners can be found on this machine. */
export function canTellOwners(): boolean {
  return existsSync("/proc/net/tcp") && existsSync("/proc/self/fd");
}

export class WorkloadOwnership {
  readonly #processes: Watched<readonly ProcessIdentity[]>;
  readonly #culprits: CulpritSearch;
  readonly #owners: SharedRun<string, ProcessIdentity> = new SharedRun((inodes) =>
    this.#findOwners(inodes),
  );
  #knownCallers: readonly ProcessIdentity[] = [];
  readonly #unwatch: () => void;
  #asking = 0;
  #keptWaiting = 0;

  constructor({ processes, clock }: OwnershipOptions) {
    this.#processes = processes;
    this.#culprits = new CulpritSearch(clock);
    this.#unwatch = this.#processes.onChange(() => {
      this.#knownCallers = [];
    });
  }

  /** Answers within half a second, but for a machine that is overloaded. */
  async of(accepted: AcceptedConnection): Promise<Ownership> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      if (this.#asking >= MAX_ASKING) return { owner: "not-asked" };
      const judgedBy = this.#processes.current;
      this.#asking++;
      const judgement = await this.#judge(accepted).finally(() => this.#asking--);
      if (judgement.owner === "own-workload") return judgement;
      if (judgement.owner === "nobody") return NOBODY;
      if (!(await this.#changesFrom(judgedBy, deadline))) return this.#tell(judgement);
    }
  }

  close(): void {
    this.#unwatch();
  }

  async #judge({ remote, local }: AcceptedConnection): Promise<Judgement> {
    if (this.#processes.current.length === 0) {
      return { owner: "foreign", problem: "the pod's application does not run yet" };
    }
    const inode = await clientSocket({ local: remote, remote: local });
    if (inode === undefined) return { owner: "nobody" };
    const owner = await this.#owners.ask(inode);
    if (owner !== undefined) return { owner: "own-workload" };
    return { owner: "foreign", problem: "the caller is no process of the pod", inode };
  }

  async #tell({ inode, problem }: ForeignJudgement): Promise<Ownership> {
    const process = inode === undefined ? undefined : await this.#culprits.find(inode);
    if (process === undefined) return { owner: "foreign", problem };
    const named = `the caller is process ${process.processId} (${process.command}), which is not the pod's`;
    return { owner: "foreign", problem: named, process };
  }

  #findOwners(inodes: ReadonlySet<string>): ReadonlyMap<string, ProcessIdentity> {
    const first = this.#processes.current;
    const owners = new Map(runningHolders(inodes, [...first, ...this.#knownCallers]));
    const missing = new Set([...inodes].filter((inode) => !owners.has(inode)));
    if (missing.size === 0) return owners;
    for (const [inode, owner] of runningHolders(missing, processTree(first))) {
      owners.set(inode, owner);
      this.#knownCallers = [owner, ...this.#knownCallers].slice(0, MAX_KNOWN_CALLERS);
    }
    return owners;
  }

  /** Whether other processes are named before the deadline, an instant of `performance.now()`. */
  #changesFrom(judgedBy: readonly ProcessIdentity[], deadline: number): Promise<boolean> {
    if (this.#processes.current !== judgedBy) return Promise.resolve(true);
    const leftMs = deadline - performance.now();
    if (leftMs <= 0 || this.#keptWaiting >= MAX_KEPT_WAITING) return Promise.resolve(false);
    this.#keptWaiting++;
    return new Promise((resolve) => {
      const settle = (changed: boolean): void => {
        this.#keptWaiting--;
        clearTimeout(timer);
        unwatch();
        resolve(changed);
      };
      const timer = setTimeout(() => settle(false), leftMs);
      const unwatch = this.#processes.onChange(() => settle(true));
    });
  }
}

/** "nobody": the caller has left, and will not have been ours. */
type Judgement =
  | { readonly owner: "own-workload" }
  | { readonly owner: "nobody" }
  | ForeignJudgement;

interface ForeignJudgement {
  readonly owner: "foreign";
  readonly problem: string;
  readonly inode?: string;
}

const NOBODY: Ownership = { owner: "foreign", problem: "the caller's socket is not found" };

/** Whoever has gone meanwhile may have left its number to a stranger: looked at only after the descriptors. */
function runningHolders(
  inodes: ReadonlySet<string>,
  processes: readonly ProcessIdentity[],
): [inode: string, holder: ProcessIdentity][] {
  return [...findHolders(inodes, processes)].filter(([, holder]) => isRunning(holder));
}
