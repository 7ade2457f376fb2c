/**
 * How many may pass. What somebody has taken is a debt, which is paid as tokens come at a steady rate; a limit that is fair pays all its
 * debtors alike, so that a greedy one takes from nobody what that one uses, and what one leaves is shared by the others (max-min
 * fairness). As in a sidecar (`FairShare`), and bounded alike. No clock in here; the same is written once more in Lua, for Redis
 * (`take-script.ts`).
 */

/** All that is known of one counter. */
export interface TokenDebts {
  /** When debts were last paid, in milliseconds of whatever clock counts. */
  at: number;
  /** The least first; who owes nothing is not among them. */
  debtors: Debtor[];
}

export interface Debtor {
  readonly identity: string;
  readonly debt: number;
}

export interface TokenWish {
  /** Tokens that come in a millisecond; above 0. */
  readonly rate: number;
  /** Tokens that there may be at once; at least 1. */
  readonly burst: number;
  /** Whether identities share it; otherwise all owe together. */
  readonly fair: boolean;
  /** Who asks, of a fair limit; "" for all who have none. */
  readonly identity: string;
  /** At least 1; 0 to know what is left. */
  readonly hits: number;
  /** Whether whoever asks can keep some for what comes next. */
  readonly advance: "welcome" | "unwelcome";
}

export interface TakenTokens {
  /** Of those asked for. */
  readonly granted: number;
  /** Given in advance, beyond those asked for. */
  readonly advance: number;
  /** Whole ones that the same identity could still take. */
  readonly remaining: number;
  /** Milliseconds until one more is there for it, if nobody else comes; 0 where one is there. */
  readonly waitMs: number;
}

/** Debtors at one time; those beyond owe together. */
export const MAX_DEBTORS = 512;
export const OTHERS = "*";
/** What one gives in advance, of what is left: a small part, so that little is lost where it is not used. */
export const ADVANCE_PART = 20;
/** One may owe as much as this many times what is left: so there is always something left for one who comes. */
export const SHARE_OF_REST = 2;
const TINY = 1e-6;
/** Redis keeps a counter for so long at least. */
const LEAST_IDLE_MS = 10_000;

export function freshDebts(now: number): TokenDebts {
  return { at: now, debtors: [] };
}

/** Milliseconds without a question after which a counter is what it was when it was new. */
export function idleMs({ rate, burst, fair }: Pick<TokenWish, "rate" | "burst" | "fair">): number {
  const most = fair ? burst + MAX_DEBTORS + 1 : burst; // who owes nothing may always take one
  return Math.max(LEAST_IDLE_MS, Math.ceil(most / rate));
}

/** @param now a clock that went back lets nothing come, and counts from there */
export function takeTokens(debts: TokenDebts, wish: TokenWish, now: number): TakenTokens {
  const { rate, hits } = wish;
  pay(debts, Math.max(0, now - debts.at) * rate);
  debts.at = now;
  const own = ownOf(debts, wish);
  const owed = sum(debts);
  const there = roomOf(wish, { owed, debt: own.debt });
  const granted = Math.min(hits, there);
  const advance = wish.advance === "welcome" ? Math.floor((there - granted) / ADVANCE_PART) : 0;
  const taken = granted + advance;
  const after = { owed: owed + taken, debt: own.debt + taken };
  if (taken > 0) insert(debts, { identity: own.identity, debt: after.debt });
  const remaining = roomOf(wish, after);
  const waitMs = remaining > 0 ? 0 : tokensAwaited(debts, { wish, after }) / rate;
  return { granted, advance, remaining, waitMs };
}

interface Owing {
  /** By all together. */
  readonly owed: number;
  readonly debt: number;
}

/** How many come until there is room for one. Of a fair limit each debtor gets a part of them. */
function tokensAwaited(
  { debtors }: TokenDebts,
  {
    wish: { fair, burst },
    after: { owed, debt },
  }: { readonly wish: TokenWish; readonly after: Owing },
): number {
  if (!fair) return owed + 1 - burst;
  // Who owes nothing may always take one.
  const most = Math.max(1, SHARE_OF_REST * (burst - owed));
  return (debt + 1 - most) * Math.max(1, debtors.length);
}

/** To all alike, until there is nothing left, or nobody. */
function pay(debts: TokenDebts, amount: number): void {
  let [left, paid, first] = [amount, 0, 0];
  const { debtors } = debts;
  for (; first < debtors.length; first++) {
    const count = debtors.length - first;
    const least = (debtors[first]?.debt ?? 0) - paid;
    if (least * count > left + TINY) {
      paid += left / count;
      break;
    }
    paid += least;
    left -= least * count;
  }
  debts.debtors = debtors
    .slice(first)
    .map(({ identity, debt }) => ({ identity, debt: debt - paid }));
}

function ownOf({ debtors }: TokenDebts, { fair, identity }: TokenWish): Debtor {
  if (!fair) return debtors[0] ?? { identity: "", debt: 0 };
  const own = debtors.find((one) => one.identity === identity);
  if (own !== undefined) return own;
  if (debtors.length < MAX_DEBTORS) return { identity, debt: 0 };
  return debtors.find((one) => one.identity === OTHERS) ?? { identity: OTHERS, debt: 0 };
}

function insert(debts: TokenDebts, debtor: Debtor): void {
  const others = debts.debtors.filter(({ identity }) => identity !== debtor.identity);
  const place = others.findIndex(({ debt }) => debt > debtor.debt);
  others.splice(place < 0 ? others.length : place, 0, debtor);
  debts.debtors = others;
}

function sum({ debtors }: TokenDebts): number {
  let owed = 0;
  for (const { debt } of debtors) owed += debt;
  return owed;
}

/** Whole ones; of a fair limit each that is taken leaves less to be owed. */
function roomOf({ fair, burst }: TokenWish, { owed, debt }: Owing): number {
  if (!fair) return Math.max(0, Math.floor(burst - owed + TINY));
  const shared = (SHARE_OF_REST * (burst - owed + 1) - debt) / (1 + SHARE_OF_REST);
  return Math.max(0, Math.floor(Math.max(shared, 1 - debt) + TINY));
}
