/** Who called in plaintext, as far as access logs go back: each caller and callee once, however many calls there were. */
import { ROUTER_ADDRESSES } from "../local/network/mesh-ranges.ts";
import type { LoggedEntry } from "./access-log-tail.ts";
import { calleeOf } from "./format-logged-entry.ts";
import type { PodAt } from "./pods-by-address.ts";

export interface PlaintextCaller {
  /** `NAMESPACE/POD` that has the address now, this machine, or else the address. */
  readonly caller: string;
  /** `NAMESPACE/POD:PORT` */
  readonly callee: string;
  /** Requests, and connections that carried none that were understood. */
  readonly calls: number;
  /** Of them. */
  readonly refused: number;
  /** ISO 8601. */
  readonly last: string;
}

/** Addresses are few, and yet not without end. */
const MAX_CALLERS = 1_000;
/** Where pods have networks of their own; on loopback all addresses are one. */
const MACHINE: readonly string[] = Object.values(ROUTER_ADDRESSES);
/** There was TLS, of which nothing was proved. */
const NO_PLAINTEXT: readonly string[] = ["peer-not-verified", "tls-refused"];

/** Whether it is of a call that came in, with no certificate at all. */
export function isPlaintext({ entry }: LoggedEntry): boolean {
  const { reporter, source_principal: principal, decision } = entry;
  if (reporter !== "destination" || principal !== null || decision === null) return false;
  return !NO_PLAINTEXT.includes(decision.reason.because);
}

export class PlaintextCallers {
  readonly #podAt: PodAt;
  readonly #callers: Map<string, PlaintextCaller> = new Map();

  constructor(podAt: PodAt) {
    this.#podAt = podAt;
  }

  add(logged: LoggedEntry): void {
    if (!isPlaintext(logged)) return;
    const { entry } = logged;
    const caller = this.#callerOf(entry.downstream_remote_address);
    const callee = calleeOf(logged);
    const key = `${caller}\n${callee}`;
    const known = this.#callers.get(key);
    if (known === undefined && this.#callers.size >= MAX_CALLERS) return;
    const last = known !== undefined && known.last > entry.start_time ? known.last : undefined;
    this.#callers.set(key, {
      caller,
      callee,
      calls: (known?.calls ?? 0) + 1,
      refused: (known?.refused ?? 0) + Number(entry.decision?.verdict === "deny"),
      last: last ?? entry.start_time,
    });
  }

  /** Who called last stands first. */
  newest(): readonly PlaintextCaller[] {
    return [...this.#callers.values()].sort((a, b) => (a.last < b.last ? 1 : -1));
  }

  #callerOf(remote: string | null): string {
    if (remote === null) return "unknown";
    const address = remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    if (MACHINE.includes(address)) return `this machine (${address})`;
    return this.#podAt(remote) ?? address;
  }
}
