/**
 * What happens at a start when the signing authority has expired: nothing that it signed is valid any more, so there is
 * nothing to lose, and a mesh that does not start helps nobody. What somebody brought is not replaced by what nobody chose.
 */

import type { AuthorityLedger } from "./authority-ledger.ts";
import { type AuthorityOrigin, activeOf, preparedOf } from "./authority-ledger.ts";
import {
  AuthorityRefusedError,
  type HeldAuthority,
  hasExpired,
  usageProblem,
} from "./held-authority.ts";

export interface Successor {
  readonly held: HeldAuthority;
  readonly origin: AuthorityOrigin;
  /** For people: what expired, and who signs now. */
  readonly notice: string;
}

export interface Candidates {
  /** By id: those that the ledger names. */
  readonly held: ReadonlyMap<string, HeldAuthority>;
  /** What somebody brings at this start. */
  readonly plugged: HeldAuthority | undefined;
  makeSelfSigned(): HeldAuthority;
  readonly now: Date;
}

/**
 * @returns undefined when the active authority has not expired; else, in this order: the one that is brought now, the
 *   one that is prepared, a new self-signed one
 * @throws AuthorityRefusedError when a custom one has expired and there is no other
 */
export function successorOf(
  ledger: AuthorityLedger,
  candidates: Candidates,
): Successor | undefined {
  const active = activeOf(ledger);
  const expired = candidates.held.get(active.id);
  if (expired === undefined || !hasExpired(expired, candidates.now)) return undefined;
  const what = `the ${active.origin} authority ${active.id} can sign no more: ${usageProblem(expired, candidates.now)}`;
  const successor = choose(ledger, candidates);
  if (successor === undefined) {
    throw new AuthorityRefusedError(
      `${what}; start with \`hauberk up --cacerts FOLDER\`, where FOLDER has an authority that is valid now`,
    );
  }
  const notice = `${what}; nothing that it signed is valid any more, so the ${successor.origin} authority ${successor.held.id} has taken its place`;
  return { ...successor, notice };
}

function choose(
  ledger: AuthorityLedger,
  { held, plugged, makeSelfSigned, now }: Candidates,
): Omit<Successor, "notice"> | undefined {
  const prepared = preparedOf(ledger);
  const next = prepared && held.get(prepared.id);
  if (plugged !== undefined && usageProblem(plugged, now) === undefined)
    return { held: plugged, origin: "custom" };
  if (prepared !== undefined && next !== undefined && usageProblem(next, now) === undefined)
    return { held: next, origin: prepared.origin };
  return activeOf(ledger).origin === "self-signed"
    ? { held: makeSelfSigned(), origin: "self-signed" }
    : undefined;
}
