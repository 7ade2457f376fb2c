/**
 * What happens when the signing authority is not valid now: expired, or, as far as the clock says, not valid yet. Nothing
 * that it signed can be used, so there is nothing to lose by another. But clocks can be wrong: no key goes for it, and
 * when the clock is right again, so is the authority. What somebody brought is not replaced by what nobody chose.
 */
import {
  type AuthorityLedger,
  type AuthorityOrigin,
  activeOf,
  type Comer,
  formerOf,
  preparedOf,
} from "./authority-ledger.ts";
import {
  AuthorityRefusedError,
  type HeldAuthority,
  hasExpired,
  isYetToCome,
  usageProblem,
} from "./held-authority.ts";

export interface Successor {
  readonly held: HeldAuthority;
  readonly origin: AuthorityOrigin;
  /** For people: what cannot sign, and who signs now. */
  readonly notice: string;
}

export interface Candidates {
  /** By id: those that the ledger names, those that are set aside included. */
  readonly held: ReadonlyMap<string, HeldAuthority>;
  /** What somebody brings at this start. */
  readonly plugged: HeldAuthority | undefined;
  makeSelfSigned(): HeldAuthority;
  readonly now: Date;
  /** "replaced": somebody has said that the clock is right. */
  readonly early?: "replaced" | undefined;
}

/**
 * @returns undefined when the active authority is valid now; else, in this order: the one that is brought now; one that is
 *   known and valid; in place of an expired self-signed one, a new one
 * @throws AuthorityRefusedError when there is none of these
 */
export function successorOf(
  ledger: AuthorityLedger,
  candidates: Candidates,
): Successor | undefined {
  const active = activeOf(ledger);
  const { now } = candidates;
  const invalid = candidates.held.get(active.id);
  if (invalid === undefined) return undefined;
  const isEarly = isYetToCome(invalid, now);
  if (!isEarly && !hasExpired(invalid, now)) return undefined;
  const what = `the ${active.origin} authority ${active.id} can sign no${isEarly ? "thing yet" : " more"}: ${usageProblem(invalid, now)}, and the clock says ${now.toISOString()}`;
  const successor = choose(ledger, candidates, isEarly ? "early" : "expired");
  if (successor === undefined)
    throw new AuthorityRefusedError(`${what}; ${advice(active.origin, isEarly)}`);
  const notice = `${what}; nothing that it signed is valid now, so the ${successor.origin} authority ${successor.held.id} has taken its place; its key is kept, should the clock be wrong`;
  return { ...successor, notice };
}

function advice(origin: AuthorityOrigin, isEarly: boolean): string {
  const other =
    "start with `hauberk up --cacerts FOLDER`, where FOLDER has an authority that is valid now";
  if (!isEarly) return other;
  const isWrong = "set the clock right, if it is wrong, and start again; nothing was changed";
  if (origin === "custom") return `${isWrong}; if it is right, ${other}`;
  return `${isWrong}; if it is right, and was wrong when the authority was made, \`hauberk ca renew --data DIR\` makes another, while the mesh is down`;
}

function choose(
  ledger: AuthorityLedger,
  { held, plugged, makeSelfSigned, now, early }: Candidates,
  invalid: "early" | "expired",
): Omit<Successor, "notice"> | undefined {
  if (plugged !== undefined && usageProblem(plugged, now) === undefined)
    return { held: plugged, origin: "custom" };
  const known = knownToSidecars(ledger, invalid).flatMap(({ id, origin }) => {
    const one = held.get(id);
    return one === undefined || usageProblem(one, now) !== undefined ? [] : [{ held: one, origin }];
  });
  if (known[0] !== undefined) return known[0];
  const mayBeMade = invalid === "expired" || early === "replaced";
  return mayBeMade && activeOf(ledger).origin === "self-signed"
    ? { held: makeSelfSigned(), origin: "self-signed" }
    : undefined;
}

/** When the clock went back, who signed before comes first; a tainted one was given up for a reason. */
function knownToSidecars(ledger: AuthorityLedger, invalid: "early" | "expired"): readonly Comer[] {
  const former = formerOf(ledger);
  const prepared = preparedOf(ledger) ?? [];
  const before = [
    ...(former?.state === "retiring" ? [former] : []),
    ...ledger.setAside.toReversed(),
  ];
  return invalid === "early"
    ? [before, prepared].flat()
    : [prepared, ledger.setAside.toReversed()].flat();
}
