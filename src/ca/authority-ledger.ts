/**
 * Which authorities are held, in which state, and which steps led there: the rotation as a pure state machine, and the
 * text in which it rests. What it names, the disk must have.
 */
import type { AuthorityState, RotationRefusal, RotationStep } from "./rotation.ts";

/** Older steps are forgotten. */
const MAX_HISTORY = 100;
/** Those that were set aside before are given up: a heap of old keys serves nobody. */
const MAX_SET_ASIDE = 4;

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

/** Trusted no more, but its key is kept: a clock said that it was over, and clocks can be wrong. */
export interface SetAside {
  readonly id: string;
  readonly origin: AuthorityOrigin;
  readonly since: Date;
}

export interface AuthorityLedger {
  /** In the order in which they came, so that the same set always gives the same trust. */
  readonly authorities: readonly HeldEntry[];
  /** In the order in which they were set aside. */
  readonly setAside: readonly SetAside[];
  /** Oldest first. */
  readonly history: readonly TakenStep[];
}

export type Comer = Pick<HeldEntry, "id" | "origin">;

/** A ledger that has one authority, which signs. */
export function firstLedger(comer: Comer, at: Date): AuthorityLedger {
  return { authorities: [{ ...comer, state: "active", since: at }], setAside: [], history: [] };
}

/** Everything whose key the ledger keeps. */
export function keptIds({ authorities, setAside }: AuthorityLedger): readonly string[] {
  return [...authorities, ...setAside].map(({ id }) => id);
}

/** Whether the ledger had it once and its own history gave it up; of what it never heard, no. */
export function hasGivenUp(ledger: AuthorityLedger, id: string): boolean {
  const last = ledger.history.findLast(({ authority }) => authority === id)?.step;
  return (last === "revoke" || last === "rollback") && !keptIds(ledger).includes(id);
}

/**
 * Whether it lost its place by a rollback, and has not signed since: to go back to it would be to go forward again.
 */
export function wasRolledBack(history: readonly TakenStep[], id: string): boolean {
  const last = history.findLast(({ step, authority }) => authority === id && step !== "taint");
  return last?.step === "rollback";
}

/** @returns the refusal when one of its kind is prepared already, or it is held */
export function prepareAuthority(
  ledger: AuthorityLedger,
  comer: Comer,
  at: Date,
): AuthorityLedger | RotationRefusal {
  const held = ledger.authorities.find(({ id }) => id === comer.id);
  if (held !== undefined)
    return refuse(
      `authority ${held.id} is held already: it is ${held.state}${wayOn(ledger, held)}`,
    );
  const prepared = inState(ledger, "prepared");
  if (prepared !== undefined)
    return refuse(`authority ${prepared.id} is prepared already: activate it, or roll back`);
  return {
    authorities: [...ledger.authorities, { ...comer, state: "prepared", since: at }],
    setAside: ledger.setAside.filter(({ id }) => id !== comer.id),
    history: remember(ledger, [{ at, step: "prepare", authority: comer.id, forced: false }]),
  };
}

/** Which step has one that is held sign. */
function wayOn(ledger: AuthorityLedger, { id, state }: HeldEntry): string {
  if (state === "active") return "";
  if (state === "prepared") return "; `hauberk ca activate` has it sign";
  const prepared = preparedOf(ledger);
  if (prepared !== undefined) return `, and ${prepared.id} is prepared: roll that back first`;
  const step = wasRolledBack(ledger.history, id) ? "activate" : "rollback";
  return `; \`hauberk ca ${step}\` has it sign again`;
}

const STEPS = { activate, taint, revoke, rollback };

/**
 * @param how.revoked "set aside": the key of the one that is revoked is kept
 * @returns the refusal when the step does not fit the states
 */
export function takeStep(
  ledger: AuthorityLedger,
  step: Exclude<RotationStep, "prepare">,
  {
    at,
    forced,
    revoked = "given up",
  }: {
    readonly at: Date;
    readonly forced: boolean;
    readonly revoked?: "given up" | "set aside" | undefined;
  },
): AuthorityLedger | RotationRefusal {
  const change = STEPS[step](ledger);
  if ("refused" in change) return change;
  const next = {
    ...ledger,
    authorities: moved(ledger, change, at),
    history: remember(ledger, [{ at, step, authority: change.about, forced }]),
  };
  const former = formerOf(ledger);
  const isKept = step === "revoke" && revoked === "set aside" && former !== undefined;
  return isKept ? withSetAside(next, former, at) : next;
}

/**
 * The active one is not valid now, so nothing that it signed is worth keeping: another signs at once, without the steps
 * between, and the key is set aside. One that is held already takes the place too, and one that was set aside.
 */
export function replaceActive(ledger: AuthorityLedger, comer: Comer, at: Date): AuthorityLedger {
  const invalid = activeOf(ledger);
  const rest = ledger.authorities.filter(({ id }) => id !== invalid.id && id !== comer.id);
  const next = {
    authorities: [...rest, { ...comer, state: "active" as const, since: at }],
    setAside: ledger.setAside.filter(({ id }) => id !== comer.id),
    history: remember(ledger, [
      { at, step: "activate", authority: comer.id, forced: true },
      { at, step: "revoke", authority: invalid.id, forced: true },
    ]),
  };
  return withSetAside(next, invalid, at);
}

/** Who falls off the end is given up, and the history says so: else its key could not be told from a stranger's. */
function withSetAside(
  ledger: AuthorityLedger,
  { id, origin }: SetAside,
  since: Date,
): AuthorityLedger {
  const all = [...ledger.setAside, { id, origin, since }];
  const dropped = all
    .slice(0, -MAX_SET_ASIDE)
    .map((one) => ({ at: since, step: "revoke", authority: one.id, forced: true }) as const);
  const history = dropped.length === 0 ? ledger.history : remember(ledger, dropped);
  return { ...ledger, setAside: all.slice(-MAX_SET_ASIDE), history };
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

/** Of what is prepared; or, where nothing is, of what was rolled back and is trusted still. */
function activate(ledger: AuthorityLedger): Change | RotationRefusal {
  const former = formerOf(ledger);
  const again = former && wasRolledBack(ledger.history, former.id) ? former : undefined;
  const prepared = preparedOf(ledger) ?? again;
  if (prepared === undefined) return refuse("no authority is prepared: prepare one first");
  if (former !== undefined && former !== prepared)
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

/**
 * The latest step goes first: what is prepared is dropped before the former one signs again. Never forward, so that whoever
 * tries again, not knowing whether it was taken, ends where the first one led.
 */
function rollback(ledger: AuthorityLedger): Change | RotationRefusal {
  const prepared = preparedOf(ledger);
  if (prepared !== undefined) return change(prepared.id, [prepared.id, "gone"]);
  const former = formerOf(ledger);
  if (former === undefined)
    return refuse("there is nothing to go back to: only the active authority is held");
  const active = activeOf(ledger).id;
  if (wasRolledBack(ledger.history, former.id))
    return refuse(
      `authority ${former.id} was rolled back already, and ${active} signs: \`hauberk ca activate\` has ${former.id} sign again, \`hauberk ca taint\` and \`revoke\` end it`,
    );
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
