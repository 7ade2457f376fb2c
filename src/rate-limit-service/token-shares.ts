/**
 * How many may pass: tokens that come at a steady rate, and are shared out as they come. Each identity that asks gets the same
 * part; what one has no room for goes to the others (max-min fairness), so that a greedy one takes from nobody what that one uses.
 * A limit that is not fair has one identity. No clock in here; the same is written once more in Lua, for Redis (`take-script.ts`).
 */

/** All that is known of one counter. */
export interface TokenShares {
  /** When tokens were last shared out, in milliseconds of whatever clock counts. */
  at: number;
  /** What is nobody's yet. */
  spare: number;
  readonly held: Map<string, HeldTokens>;
}

interface HeldTokens {
  tokens: number;
  seenAt: number;
}

export interface TokenWish {
  /** Tokens that come in a millisecond; above 0. */
  readonly rate: number;
  /** Tokens that there may be at once; at least 1. */
  readonly burst: number;
  /** Who asks; "" where nobody is told apart. */
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

/** More identities than this share what one of them would get. */
export const MAX_IDENTITIES = 256;
export const OTHERS = "*";
/** What one gives in advance, of what is left: a small part, so that little is lost where it is not used. */
export const ADVANCE_PART = 20;
/** An identity's room, however many there are: with less it would lose tokens to the smallest delay. */
const LEAST_ROOM = 2;
/** Beyond this the parts that are left are too small to matter. */
const MAX_ROUNDS = 8;
const TINY = 1e-6;
/** An identity that did not ask for so long has no part. */
const LEAST_IDLE_MS = 10_000;

export function freshShares(now: number, burst: number): TokenShares {
  return { at: now, spare: burst, held: new Map() };
}

/** Milliseconds without a question after which a counter is what it was when it was new. */
export function idleMs({ rate, burst }: Pick<TokenWish, "rate" | "burst">): number {
  return Math.max(LEAST_IDLE_MS, Math.ceil(burst / rate));
}

/** @param now a clock that went back lets nothing come, and counts from there */
export function takeTokens(shares: TokenShares, wish: TokenWish, now: number): TakenTokens {
  const { rate, burst, hits } = wish;
  const elapsed = Math.max(0, now - shares.at);
  shares.at = now;
  forgetIdle(shares, { now, afterMs: idleMs(wish) });
  const own = enter(shares, wish, now);
  const poured = pour(shares, elapsed * rate, roomOf(burst, shares.held.size));
  shares.spare = Math.max(0, Math.min(shares.spare + poured.left, burst - sum(shares)));
  const there = Math.floor(own.tokens + shares.spare + TINY);
  const granted = Math.min(hits, there);
  const advance = wish.advance === "welcome" ? Math.floor((there - granted) / ADVANCE_PART) : 0;
  spend(shares, own, granted + advance);
  const left = own.tokens + shares.spare;
  const remaining = Math.floor(left + TINY);
  const waitMs = remaining > 0 ? 0 : ((1 - left) * Math.max(1, poured.open)) / rate;
  return { granted, advance, remaining, waitMs };
}

/** Whoever was seen before the clock went back was seen now. */
function forgetIdle(
  shares: TokenShares,
  { now, afterMs }: { readonly now: number; readonly afterMs: number },
): void {
  for (const [identity, one] of shares.held) {
    one.seenAt = Math.min(one.seenAt, now);
    if (one.seenAt >= now - afterMs) continue;
    shares.held.delete(identity);
    shares.spare += one.tokens;
  }
}

/** A newcomer begins with what nobody has, or has too much of now that there is one more. */
function enter(shares: TokenShares, { identity, burst }: TokenWish, now: number): HeldTokens {
  const { held } = shares;
  const name = held.has(identity) || held.size < MAX_IDENTITIES ? identity : OTHERS;
  const known = held.get(name);
  const room = roomOf(burst, known === undefined ? held.size + 1 : held.size);
  for (const one of held.values()) {
    if (one.tokens <= room) continue;
    shares.spare += one.tokens - room;
    one.tokens = room;
  }
  if (known !== undefined) {
    known.seenAt = now;
    return known;
  }
  const own = { tokens: Math.min(room, shares.spare), seenAt: now };
  shares.spare -= own.tokens;
  held.set(name, own);
  return own;
}

function roomOf(burst: number, identities: number): number {
  return identities === 1 ? burst : Math.max(LEAST_ROOM, burst / identities);
}

/** Equal parts for all that have room, and what is left of them again, until nothing is or nobody has. */
function pour(
  { held }: TokenShares,
  amount: number,
  room: number,
): { readonly left: number; readonly open: number } {
  let open = [...held.values()].filter(({ tokens }) => tokens < room);
  let left = amount;
  for (let round = 0; round < MAX_ROUNDS && left > TINY && open.length > 0; round++) {
    const each = left / open.length;
    left = 0;
    const stillOpen: HeldTokens[] = [];
    for (const one of open) {
      one.tokens += each;
      if (one.tokens < room) stillOpen.push(one);
      else {
        left += one.tokens - room;
        one.tokens = room;
      }
    }
    open = stillOpen;
  }
  return { left, open: open.length };
}

function sum({ held }: TokenShares): number {
  let tokens = 0;
  for (const one of held.values()) tokens += one.tokens;
  return tokens;
}

/** One's own first. */
function spend(shares: TokenShares, own: HeldTokens, count: number): void {
  const fromOwn = Math.min(own.tokens, count);
  own.tokens -= fromOwn;
  shares.spare = Math.max(0, shares.spare - (count - fromOwn));
}
