/**
 * Which authorities are held, in which state, and which steps led there: the rotation as a pure state machine, and the
 * text in which it rests. What it names, the disk must have.
 */
import type { AuthorityState, RotationRefusal, RotationStep } from "./rotation.ts";

/** Older steps are forgotten. */
const MAX_HISTORY = 100;

export type AuthorityOrigin = "self-signed" | "custom";

export interface HeldEntry {
  /** 16 characters, lower-case hexadecimal; also the name of its folder. */
  readonly id: string;
  readonly state: AuthorityState;
  readonly origin: AuthorityOrigin;
  /** When it came into this state. */
  readonly since: Date;
}

export interface TakenStep {
  readonly at: Date;
  readonly step: RotationStep;
  /**
   * Whom it was about: the one prepared, activated, tainted or revoked; for a rollback the one that lost its place, be it
   * that of the next or of the signer.
   */
  readonly authority: string;
  readonly forced: boolean;
}

export interface AuthorityLedger {
  /** In the order in which they came, so that the same set always gives the same trust. */
  readonly authorities: readonly HeldEntry[];
  /** Oldest first. */
  readonly history: readonly TakenStep[];
}

export type Comer = Pick<HeldEntry, "id" | "origin">;

/** A ledger that has one authority, which signs. */
export function firstLedger(comer: Comer, at: Date): AuthorityLedger {
  return { authorities: [{ ...comer, state: "active", since: at }], history: [] };
}

/** @returns the refusal when one of its kind is prepared already, or it is held */
export function prepareAuthority(
  ledger: AuthorityLedger,
  comer: Comer,
  at: Date,
): AuthorityLedger | RotationRefusal {
  const held = ledger.authorities.find(({ id }) => id === comer.id);
  if (held !== undefined)
    return refuse(`authority ${held.id} is held already: it is ${held.state}`);
  const prepared = inState(ledger, "prepared");
  if (prepared !== undefined)
    return refuse(`authority ${prepared.id} is prepared already: activate it, or roll back`);
  return {
    authorities: [...ledger.authorities, { ...comer, state: "prepared", since: at }],
    history: remember(ledger, [{ at, step: "prepare", authority: comer.id, forced: false }]),
  };
}

const STEPS = { activate, taint, revoke, rollback };

/** @returns the refusal when the step does not fit the states */
export function takeStep(
  ledger: AuthorityLedger,
  step: Exclude<RotationStep, "prepare">,
  { at, forced }: { readonly at: Date; readonly forced: boolean },
): AuthorityLedger | RotationRefusal {
  const change = STEPS[step](ledger);
  if ("refused" in change) return change;
  return {
    authorities: moved(ledger, change, at),
    history: remember(ledger, [{ at, step, authority: change.about, forced }]),
  };
}

/**
 * The active one has expired, so nothing that it signed is worth keeping: another signs at once, without the steps
 * between. One that is held already takes the place too.
 */
export function replaceActive(ledger: AuthorityLedger, comer: Comer, at: Date): AuthorityLedger {
  const expired = activeOf(ledger).id;
  const rest = ledger.authorities.filter(({ id }) => id !== expired && id !== comer.id);
  return {
    authorities: [...rest, { ...comer, state: "active", since: at }],
    history: remember(ledger, [
      { at, step: "activate", authority: comer.id, forced: true },
      { at, step: "revoke", authority: expired, forced: true },
    ]),
  };
}

export function activeOf(ledger: AuthorityLedger): HeldEntry {
  const active = inState(ledger, "active");
  if (active === undefined) throw new TypeError("a ledger without an active authority");
  return active;
}

export function preparedOf(ledger: AuthorityLedger): HeldEntry | undefined {
  return inState(ledger, "prepared");
}

/** The one before the active one, while it is trusted. */
export function formerOf(ledger: AuthorityLedger): HeldEntry | undefined {
  return inState(ledger, "retiring") ?? inState(ledger, "tainted");
}

/** New states by id; "gone" is held no more. */
interface Change {
  readonly about: string;
  readonly states: ReadonlyMap<string, AuthorityState | "gone">;
}

function activate(ledger: AuthorityLedger): Change | RotationRefusal {
  const prepared = preparedOf(ledger);
  const former = formerOf(ledger);
  if (prepared === undefined) return refuse("no authority is prepared: prepare one first");
  if (former !== undefined)
    return refuse(`authority ${former.id} is still ${former.state}: revoke it first`);
  return change(prepared.id, [prepared.id, "active"], [activeOf(ledger).id, "retiring"]);
}

function taint(ledger: AuthorityLedger): Change | RotationRefusal {
  const former = formerOf(ledger);
  if (former === undefined)
    return refuse("no authority is retiring: activate a prepared one first");
  if (former.state === "tainted") return refuse(`authority ${former.id} is tainted already`);
  return change(former.id, [former.id, "tainted"]);
}

function revoke(ledger: AuthorityLedger): Change | RotationRefusal {
  const former = formerOf(ledger);
  if (former === undefined)
    return refuse("no authority is retiring or tainted: activate a prepared one first");
  return change(former.id, [former.id, "gone"]);
}

/** The latest step goes first: what is prepared is dropped before the former one signs again. */
function rollback(ledger: AuthorityLedger): Change | RotationRefusal {
  const prepared = preparedOf(ledger);
  if (prepared !== undefined) return change(prepared.id, [prepared.id, "gone"]);
  const former = formerOf(ledger);
  if (former === undefined)
    return refuse("there is nothing to go back to: only the active authority is held");
  const active = activeOf(ledger).id;
  return change(active, [former.id, "active"], [active, "retiring"]);
}

function change(
  about: string,
  ...states: readonly (readonly [string, AuthorityState | "gone"])[]
): Change {
  return { about, states: new Map(states) };
}

function moved(ledger: AuthorityLedger, { states }: Change, at: Date): readonly HeldEntry[] {
  return ledger.authorities.flatMap((entry) => {
    const state = states.get(entry.id);
    if (state === undefined) return [entry];
    return state === "gone" ? [] : [{ ...entry, state, since: at }];
  });
}

function remember(ledger: AuthorityLedger, steps: readonly TakenStep[]): readonly TakenStep[] {
  return [...ledger.history, ...steps].slice(-MAX_HISTORY);
}

function inState(ledger: AuthorityLedger, state: AuthorityState): HeldEntry | undefined {
  return ledger.authorities.find((entry) => entry.state === state);
}

function refuse(refused: string): RotationRefusal {
  return { refused };
}
