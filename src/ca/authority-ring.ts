/** The authorities of a mesh and the steps between them, on disk in `DIR/ca`: no change counts before it is durable. */
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type AuthorityOrigin, firstLedger } from "./authority-ledger.ts";
import { AuthorityStore } from "./authority-store.ts";
import { DurableAuthorityRing } from "./durable-authority-ring.ts";
import { successorOf } from "./expired-authority.ts";
import {
  type HeldAuthority,
  holdAuthority,
  makeAuthority,
  organizationOf,
  usable,
} from "./held-authority.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";
import type { AuthorityRing, AuthorityStatus, RotationRefusal } from "./rotation.ts";

export interface AuthorityRingOptions {
  /** The mesh's data directory. */
  readonly directory: string;
  /** Of self-signed authorities that are made; absent: that of the one in whose place they come. */
  readonly trustDomain?: string;
  readonly clock?: Clock;
  /** Of self-signed authorities that are made from now on. */
  readonly lifetimeMs?: number;
  /**
   * What somebody brings: the active one where there is none yet, and in the place of one that has expired. In any
   * other case it has to be prepared.
   */
  readonly plugged?: PluggedAuthority;
  /** Whether a self-signed one that is not valid yet is replaced, as an expired one is; absent: it is refused. */
  readonly early?: "replaced";
}

export interface OpenedAuthorityRing extends AuthorityRing {
  /** What was done at the start that people should know; to be logged loudly. */
  readonly notices: readonly string[];
  /**
   * Takes over new revocation lists of an authority that is held, and a bundle with more roots, or fewer (CA-46).
   *
   * @returns the refusal when no such authority is held, its roots are simply others (that is a rotation), or a list that
   *   is in force is missing or older
   */
  refresh(authority: PluggedAuthority): Promise<AuthorityStatus | RotationRefusal>;
  /**
   * For a clock that went back: a self-signed authority that is not valid yet gives way to the one before it, if that is.
   *
   * @returns what was done, for people; undefined when there was nothing to do
   * @throws AuthorityRefusedError when no authority is valid now
   */
  recover(): Promise<string | undefined>;
}

/**
 * Opens what is there, or makes a first authority (CA-40).
 *
 * @throws AuthorityRefusedError, KeyDirectoryError when what is there must not be used (CA-44, CA-45)
 */
export async function openAuthorityRing(
  options: AuthorityRingOptions,
): Promise<OpenedAuthorityRing> {
  const clock = options.clock ?? systemClock;
  const now = clock.now();
  const plugged = options.plugged && holdAuthority(options.plugged);
  const held = new Map<string, HeldAuthority>();
  const makeSelfSigned = (): HeldAuthority => {
    const [first] = held.values();
    const trustDomain = options.trustDomain ?? (first && organizationOf(first));
    if (trustDomain === undefined) throw new TypeError("a first authority needs a trust domain");
    return makeAuthority({ ...options, trustDomain, now: clock.now() });
  };
  const store = new AuthorityStore(options.directory);
  const ledger = await store.open({
    first: () => usable(plugged ?? makeSelfSigned(), now),
    ledgerOf: (first) => firstLedger({ id: first.id, origin: originOf(first, plugged) }, now),
  });
  for (const { id } of ledger.authorities) held.set(id, await store.read(id));
  for (const { id } of ledger.setAside) {
    // Nobody needs it now: what has become of its files keeps nothing from starting.
    const aside = await store.read(id).catch(() => undefined);
    if (aside !== undefined) held.set(id, aside);
  }
  const { early } = options;
  const successor = successorOf(ledger, { held, plugged, makeSelfSigned, now, early });
  const ring = new DurableAuthorityRing({
    store,
    ledger,
    held,
    clock,
    makeSelfSigned,
    notices: [...store.notices, ...(successor === undefined ? [] : [successor.notice])],
  });
  if (successor !== undefined) await ring.succeed(successor);
  return ring;
}

/** An authority of the first versions says nothing of its origin: those had made a root of their own. */
function originOf(first: HeldAuthority, plugged: HeldAuthority | undefined): AuthorityOrigin {
  return first.id !== plugged?.id && first.chain.length === 1 ? "self-signed" : "custom";
}
