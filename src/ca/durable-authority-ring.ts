/** The ring of authorities while it runs: one step after the other, none of which counts before it is durable. */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../runtime/clock.ts";
import { InTurn } from "../runtime/in-turn.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import {
  type AuthorityLedger,
  activeOf,
  keptIds,
  prepareAuthority,
  replaceActive,
  type TakenStep,
  takeStep,
} from "./authority-ledger.ts";
import type { OpenedAuthorityRing } from "./authority-ring.ts";
import type { AuthorityStore } from "./authority-store.ts";
import { isSameTrust, type RingMember, trustIn } from "./authority-trust.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { type Successor, successorOf } from "./expired-authority.ts";
import {
  type HeldAuthority,
  isYetToCome,
  statusOf,
  tryToHold,
  usageProblem,
} from "./held-authority.ts";
import { laxerLists } from "./laxer-lists.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";
import type {
  AuthorityRing,
  AuthorityStatus,
  AuthorityTrust,
  RotationRefusal,
  RotationStep,
} from "./rotation.ts";

const RETURNED = "it was given up before, and an older copy of the authorities brought it back";

export class DurableAuthorityRing implements OpenedAuthorityRing {
  readonly notices: readonly string[];
  readonly #store: AuthorityStore;
  readonly #clock: Clock;
  readonly #makeSelfSigned: () => HeldAuthority;
  readonly #issuer: WatchedValue<CertificateAuthority>;
  readonly #trust: WatchedValue<AuthorityTrust>;
  #members: readonly RingMember[];
  /** By id; those that are set aside included. */
  #held: ReadonlyMap<string, HeldAuthority>;
  #ledger: AuthorityLedger;
  /** Steps take turns: each sees the ledger that the one before has left. */
  readonly #turn = new InTurn();

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
    this.#held = parts.held;
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
    return [first, ...this.#members.filter((member) => member !== first)].map((member) =>
      this.#statusOfMember(member),
    );
  }

  history(): readonly TakenStep[] {
    return this.#ledger.history;
  }

  prepare(authority: PluggedAuthority | "self-signed"): Promise<AuthorityStatus | RotationRefusal> {
    return this.#turn.run(async () => {
      const now = this.#clock.now();
      const held =
        authority === "self-signed"
          ? this.#makeSelfSigned()
          : tryToHold(authority, { now, purpose: "sign" });
      if ("refused" in held) return held;
      const laxer = laxerLists(held, { inForce: this.#trust.current.crlsPem });
      if (laxer !== undefined) return { refused: laxer };
      const origin = authority === "self-signed" ? "self-signed" : "custom";
      const next = prepareAuthority(this.#ledger, { id: held.id, origin }, now);
      if ("refused" in next) return next;
      await this.#admit(next, held);
      return this.#statusOf(held.id);
    });
  }

  take(
    step: Exclude<RotationStep, "prepare">,
    { forced, revoked }: Parameters<AuthorityRing["take"]>[1],
  ): Promise<AuthorityStatus | RotationRefusal> {
    return this.#turn.run(async () => {
      const at = this.#clock.now();
      const next = takeStep(this.#ledger, step, { at, forced, revoked });
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
    return this.#turn.run(async () => {
      const fresh = tryToHold(authority, { now: this.#clock.now(), purpose: "update" });
      if ("refused" in fresh) return fresh;
      const known = this.#members.find(({ held }) => held.id === fresh.id)?.held;
      if (known === undefined) return { refused: `authority ${fresh.id} is not held: prepare it` };
      if (!isMoreOrLess(known.material.rootsPem, fresh.material.rootsPem))
        return { refused: `authority ${fresh.id} comes with other roots than it had` };
      const laxer = laxerLists(fresh, { inForce: this.#trust.current.crlsPem });
      if (laxer !== undefined) return { refused: laxer };
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

  recover(): Promise<string | undefined> {
    return this.#turn.run(async () => {
      const now = this.#clock.now();
      const { held, entry } = this.#active;
      if (entry.origin === "custom" || !isYetToCome(held, now)) return undefined;
      const candidates = { held: this.#held, plugged: undefined, now };
      const makeSelfSigned = this.#makeSelfSigned;
      const successor = successorOf(this.#ledger, { ...candidates, makeSelfSigned });
      if (successor !== undefined) await this.#succeed(successor);
      return successor?.notice;
    });
  }

  /** The active authority is not valid now. */
  succeed(successor: Pick<Successor, "held" | "origin">): Promise<void> {
    return this.#turn.run(() => this.#succeed(successor));
  }

  async #succeed({ held, origin }: Pick<Successor, "held" | "origin">): Promise<void> {
    const next = replaceActive(this.#ledger, { id: held.id, origin }, this.#clock.now());
    await this.#admit(next, held);
    await this.#store.sweep(next);
  }

  /** The folder comes first, then the ledger that names it. */
  async #admit(next: AuthorityLedger, comer: HeldAuthority): Promise<void> {
    await this.#store.requireUnchanged();
    await this.#store.sweep(this.#ledger);
    const written = await this.#store.add(comer);
    await this.#commit(next, new Map(this.#held).set(written.id, written), written.id);
  }

  async #commit(
    next: AuthorityLedger,
    held: ReadonlyMap<string, HeldAuthority>,
    came?: string,
  ): Promise<void> {
    await this.#store.replaceLedger(next, { from: this.#ledger, came });
    this.#adopt(next, held);
  }

  /** Trust before issuer: nobody is shown a certificate of whom they have not heard. */
  #adopt(ledger: AuthorityLedger, held: ReadonlyMap<string, HeldAuthority>): void {
    const kept = keptIds(ledger);
    this.#ledger = ledger;
    this.#held = new Map([...held].filter(([id]) => kept.includes(id)));
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

  #statusOf(id: string): AuthorityStatus {
    return this.#statusOfMember(this.#members.find(({ held }) => held.id === id) ?? this.#active);
  }

  #statusOfMember({ held, entry }: RingMember): AuthorityStatus {
    const returned = this.#store.isReturned(held.id) ? RETURNED : undefined;
    return statusOf(held, entry, returned);
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

/** What may change while the authority stays the same. */
function listsOf({ material }: HeldAuthority): unknown {
  return [material.rootsPem, material.crlsPem];
}

function isMoreOrLess(one: readonly string[], other: readonly string[]): boolean {
  const contains = (all: readonly string[], some: readonly string[]): boolean =>
    some.every((root) => all.includes(root));
  return contains(one, other) || contains(other, one);
}
