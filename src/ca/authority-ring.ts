/** The authorities of a mesh and the steps between them, on disk in `DIR/ca`: no change counts before it is durable. */
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import {
  type AuthorityLedger,
  type AuthorityOrigin,
  activeOf,
  firstLedger,
  prepareAuthority,
  replaceActive,
  type TakenStep,
  takeStep,
} from "./authority-ledger.ts";
import { AuthorityStore } from "./authority-store.ts";
import { isSameTrust, type RingMember, trustIn } from "./authority-trust.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { successorOf } from "./expired-authority.ts";
import {
  type HeldAuthority,
  holdAuthority,
  makeAuthority,
  statusOf,
  tryToHold,
  usable,
  usageProblem,
} from "./held-authority.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";
import type {
  AuthorityRing,
  AuthorityStatus,
  AuthorityTrust,
  RotationRefusal,
  RotationStep,
} from "./rotation.ts";

export interface AuthorityRingOptions {
  /** The mesh's data directory. */
  readonly directory: string;
  readonly trustDomain: string;
  readonly clock?: Clock;
  /** Of self-signed authorities that are made from now on. */
  readonly lifetimeMs?: number;
  /**
   * What somebody brings: the active one where there is none yet, and in the place of one that has expired. In any
   * other case it has to be prepared.
   */
  readonly plugged?: PluggedAuthority;
}

export interface OpenedAuthorityRing extends AuthorityRing {
  /** What was done at the start that people should know; to be logged loudly. */
  readonly notices: readonly string[];
  /**
   * Takes over new revocation lists of an authority that is held, and a bundle with more roots, or fewer (CA-46).
   *
   * @returns the refusal when no such authority is held, or its roots are simply others: that is a rotation
   */
  refresh(authority: PluggedAuthority): Promise<AuthorityStatus | RotationRefusal>;
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
  const makeSelfSigned = (): HeldAuthority => makeAuthority({ ...options, now: clock.now() });
  const store = new AuthorityStore(options.directory);
  const ledger = await store.open({
    first: () => usable(plugged ?? makeSelfSigned(), now),
    ledgerOf: (first) => firstLedger({ id: first.id, origin: originOf(first, plugged) }, now),
  });
  const held = new Map<string, HeldAuthority>();
  for (const { id } of ledger.authorities) held.set(id, await store.read(id));
  const successor = successorOf(ledger, { held, plugged, makeSelfSigned, now });
  const ring = new DurableAuthorityRing({
    store,
    ledger,
    held,
    clock,
    makeSelfSigned,
    notices: successor === undefined ? [] : [successor.notice],
  });
  if (successor !== undefined) await ring.succeed(successor);
  return ring;
}

class DurableAuthorityRing implements OpenedAuthorityRing {
  readonly notices: readonly string[];
  readonly #store: AuthorityStore;
  readonly #clock: Clock;
  readonly #makeSelfSigned: () => HeldAuthority;
  readonly #issuer: WatchedValue<CertificateAuthority>;
  readonly #trust: WatchedValue<AuthorityTrust>;
  #members: readonly RingMember[];
  #ledger: AuthorityLedger;
  /** Steps take turns: each sees the ledger that the one before has left. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly store: AuthorityStore;
    readonly ledger: AuthorityLedger;
    readonly held: ReadonlyMap<string, HeldAuthority>;
    readonly clock: Clock;
    readonly makeSelfSigned: () => HeldAuthority;
    readonly notices: readonly string[];
  }) {
    this.notices = parts.notices;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#makeSelfSigned = parts.makeSelfSigned;
    this.#ledger = parts.ledger;
    this.#members = membersOf(parts.ledger, parts.held);
    this.#issuer = new WatchedValue(this.#active.held.signer);
    this.#trust = new WatchedValue(trustIn(this.#members));
  }

  get issuer(): Watched<CertificateAuthority> {
    return this.#issuer;
  }

  get trust(): Watched<AuthorityTrust> {
    return this.#trust;
  }

  status(): readonly AuthorityStatus[] {
    const first = this.#active;
    return [first, ...this.#members.filter((member) => member !== first)].map(({ held, entry }) =>
      statusOf(held, entry),
    );
  }

  history(): readonly TakenStep[] {
    return this.#ledger.history;
  }

  prepare(authority: PluggedAuthority | "self-signed"): Promise<AuthorityStatus | RotationRefusal> {
    return this.#inTurn(async () => {
      const now = this.#clock.now();
      const held =
        authority === "self-signed"
          ? this.#makeSelfSigned()
          : tryToHold(authority, { now, purpose: "sign" });
      if ("refused" in held) return held;
      const origin = authority === "self-signed" ? "self-signed" : "custom";
      const next = prepareAuthority(this.#ledger, { id: held.id, origin }, now);
      if ("refused" in next) return next;
      await this.#admit(next, held);
      return this.#statusOf(held.id);
    });
  }

  take(
    step: Exclude<RotationStep, "prepare">,
    { forced }: { readonly forced: boolean },
  ): Promise<AuthorityStatus | RotationRefusal> {
    return this.#inTurn(async () => {
      const at = this.#clock.now();
      const next = takeStep(this.#ledger, step, { at, forced });
      if ("refused" in next) return next;
      const refusal = this.#unusableSigner(next, at);
      if (refusal !== undefined) return refusal;
      await this.#commit(next, this.#held);
      await this.#store.sweep(next);
      const tainted = next.authorities.find(({ state }) => state === "tainted");
      return this.#statusOf(step === "taint" && tainted ? tainted.id : activeOf(next).id);
    });
  }

  refresh(authority: PluggedAuthority): Promise<AuthorityStatus | RotationRefusal> {
    return this.#inTurn(async () => {
      const fresh = tryToHold(authority, { now: this.#clock.now(), purpose: "update" });
      if ("refused" in fresh) return fresh;
      const known = this.#held.get(fresh.id);
      if (known === undefined) return { refused: `authority ${fresh.id} is not held: prepare it` };
      if (!isMoreOrLess(known.material.rootsPem, fresh.material.rootsPem))
        return { refused: `authority ${fresh.id} comes with other roots than it had` };
      if (isDeepStrictEqual(listsOf(known), listsOf(fresh))) return this.#statusOf(fresh.id);
      await this.#store.requireUnchanged();
      await this.#store.update(fresh);
      this.#adopt(
        this.#ledger,
        new Map(this.#held).set(fresh.id, await this.#store.read(fresh.id)),
      );
      return this.#statusOf(fresh.id);
    });
  }

  /** The active authority has expired. */
  succeed(successor: {
    readonly held: HeldAuthority;
    readonly origin: AuthorityOrigin;
  }): Promise<void> {
    return this.#inTurn(async () => {
      const { held, origin } = successor;
      const next = replaceActive(this.#ledger, { id: held.id, origin }, this.#clock.now());
      await this.#admit(next, held);
      await this.#store.sweep(next);
    });
  }

  /** The folder comes first, then the ledger that names it. */
  async #admit(next: AuthorityLedger, comer: HeldAuthority): Promise<void> {
    await this.#store.requireUnchanged();
    await this.#store.sweep(this.#ledger);
    const written = await this.#store.add(comer);
    await this.#commit(next, new Map(this.#held).set(written.id, written));
  }

  async #commit(next: AuthorityLedger, held: ReadonlyMap<string, HeldAuthority>): Promise<void> {
    await this.#store.replaceLedger(next);
    this.#adopt(next, held);
  }

  /** Trust before issuer: nobody is shown a certificate of whom they have not heard. */
  #adopt(ledger: AuthorityLedger, held: ReadonlyMap<string, HeldAuthority>): void {
    this.#ledger = ledger;
    this.#members = membersOf(ledger, held);
    const trust = trustIn(this.#members);
    const { signer } = this.#active.held;
    if (!isSameTrust(trust, this.#trust.current)) this.#trust.set(trust);
    if (signer !== this.#issuer.current) this.#issuer.set(signer);
  }

  #unusableSigner(next: AuthorityLedger, at: Date): RotationRefusal | undefined {
    const { id } = activeOf(next);
    const held = this.#held.get(id);
    const problem = held && id !== this.#active.held.id ? usageProblem(held, at) : undefined;
    return problem === undefined
      ? undefined
      : { refused: `authority ${id} cannot sign: ${problem}` };
  }

  get #active(): RingMember {
    const active = this.#members.find(({ entry }) => entry.state === "active");
    if (active === undefined) throw new TypeError("a ring without an active authority");
    return active;
  }

  get #held(): ReadonlyMap<string, HeldAuthority> {
    return new Map(this.#members.map(({ held }) => [held.id, held]));
  }

  #statusOf(id: string): AuthorityStatus {
    const member = this.#members.find(({ held }) => held.id === id) ?? this.#active;
    return statusOf(member.held, member.entry);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function membersOf(
  { authorities }: AuthorityLedger,
  held: ReadonlyMap<string, HeldAuthority>,
): readonly RingMember[] {
  return authorities.flatMap((entry) => {
    const found = held.get(entry.id);
    return found === undefined ? [] : [{ entry, held: found }];
  });
}

/** An authority of the first versions says nothing of its origin: those had made a root of their own. */
function originOf(first: HeldAuthority, plugged: HeldAuthority | undefined): AuthorityOrigin {
  return first.id !== plugged?.id && first.chain.length === 1 ? "self-signed" : "custom";
}

/** What may change while the authority stays the same. */
function listsOf({ material }: HeldAuthority): unknown {
  return [material.rootsPem, material.crlsPem];
}

function isMoreOrLess(one: readonly string[], other: readonly string[]): boolean {
  const contains = (all: readonly string[], some: readonly string[]): boolean =>
    some.every((root) => all.includes(root));
  return contains(one, other) || contains(other, one);
}
