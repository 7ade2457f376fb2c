/**
 * Takes the steps of rotation, one after the other, whoever asks: each is checked against all live sidecars, carried out
 * by the ring, and told loudly in the log.
 */
import { wasRolledBack } from "../ca/authority-ledger.ts";
import type { PluggedAuthority } from "../ca/plugged-authority.ts";
import type { AuthorityRing, AuthorityStatus, RotationStep } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
import { InTurn } from "../runtime/in-turn.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import {
  type AuthorityOverview,
  authorityOverview,
  factsOf,
  type OverviewInputs,
} from "./authority-overview.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import type { AuthorityStepReply } from "./control-socket-messages.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import { blockersOf, breakage, type GateInputs } from "./rotation-gate.ts";
import { SidecarRegister } from "./sidecar-state.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";

export interface AuthorityOperationsOptions {
  readonly ring: AuthorityRing;
  readonly running: Watched<RunningNow>;
  /** Connected sidecars, in the order in which they came. */
  readonly subscribers: () => readonly SubscriberStatus[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface StepToTake {
  readonly step: RotationStep;
  /** "ask": when all sidecars are ready; "forced": although some are not; "needless": nothing changes for any of them. */
  readonly gate: "ask" | "forced" | "needless";
  /** What to prepare; absent: a self-signed one is made. */
  readonly authority?: PluggedAuthority | undefined;
  /** The last step that whoever asks knows of: after another one the question is a new one. Absent: whatever was. */
  readonly after?: LastStep | undefined;
  readonly by: "a person" | "the folder of the custom authority" | typeof RENEWAL;
}

export interface LastStep {
  /** One of the history's own; undefined where there is none. */
  readonly step: ReturnType<AuthorityRing["history"]>[number] | undefined;
}

/** It goes by the clock alone, which can be wrong: it never deletes a key. */
const RENEWAL = "the renewal of the root";

export class AuthorityOperations {
  readonly #options: AuthorityOperationsOptions;
  readonly #register = new SidecarRegister();
  readonly #turn = new InTurn();

  constructor(options: AuthorityOperationsOptions) {
    this.#options = options;
  }

  get state(): GateInputs {
    const { ring, running, subscribers } = this.#options;
    return {
      sidecars: this.#register.states(running.current.workloads, subscribers()),
      authorities: ring.status(),
      trust: trustFingerprint(ring.trust.current),
    };
  }

  /** @param machines what turns authorities besides people, and where it stands */
  overview(
    machines: Pick<OverviewInputs, "custom" | "renewal" | "renewalStandstill"> = {},
  ): AuthorityOverview {
    const { ring, clock } = this.#options;
    const { rootsPem } = ring.trust.current;
    const history = ring.history();
    return authorityOverview({ ...this.state, history, rootsPem, ...machines }, clock.now());
  }

  take(wanted: StepToTake): Promise<AuthorityStepReply> {
    return this.#turn.run(() => this.#take(wanted));
  }

  async #take({ step, gate, authority, after, by }: StepToTake): Promise<AuthorityStepReply> {
    const { ring, log } = this.#options;
    const before = this.state;
    const history = ring.history();
    if (after !== undefined && after.step !== history.at(-1))
      return { type: "refused", problem: "another step was taken meanwhile" };
    const isOver = !before.authorities.some(isFormer) && history.at(-1)?.step === "revoke";
    if (step === "revoke" && isOver)
      return { type: "ca-taken", authority: factsOf(activeOf(before.authorities)), was: "before" };
    const blockers = gate === "needless" ? [] : blockersOf(step, before);
    if (blockers.length > 0 && gate === "ask" && isPossible(step, before.authorities, history))
      return { type: "ca-blocked", blockers, breakage: breakage(step, blockers) };
    const forced = gate === "forced" && blockers.length > 0;
    const outcome =
      step === "prepare"
        ? await ring.prepare(authority ?? "self-signed")
        : await ring.take(step, { forced, revoked: by === RENEWAL ? "set aside" : "given up" });
    if ("refused" in outcome) return { type: "refused", problem: outcome.refused };
    const broke = forced ? { broke: breakage(step, blockers) } : {};
    const { meaning, about } = toldOf(step, { before: before.authorities, outcome });
    log.warn(`authority rotation: ${meaning}`, {
      step,
      by,
      authority: about.id,
      subject: about.subject,
      origin: about.origin,
      ends: about.chainNotAfter.toISOString(),
      active: activeOf(ring.status()).id,
      ...broke,
    });
    return { type: "ca-taken", authority: factsOf(outcome), ...broke };
  }
}

const MEANING: Readonly<Record<RotationStep, string>> = {
  prepare: "a new authority is trusted from now on; it signs nothing yet",
  activate: "the new authority signs from now on; the former one is still trusted",
  taint: "whoever has a certificate of the former authority renews it now",
  revoke: "the former authority is trusted no more",
  rollback: "back to the former authority, which signs from now on",
};

/** The authority that the words end with is the one that they speak of: not always the one that signs. */
function toldOf(
  step: RotationStep,
  { before, outcome }: { before: readonly AuthorityStatus[]; outcome: AuthorityStatus },
): { readonly meaning: string; readonly about: AuthorityStatus } {
  const prepared = before.find(({ state }) => state === "prepared");
  if (step === "rollback" && prepared !== undefined)
    return { meaning: "what was prepared is dropped, and trusted no more", about: prepared };
  const former = before.find(isFormer);
  const about = step === "revoke" && former !== undefined ? former : outcome;
  return { meaning: MEANING[step], about };
}

function isFormer({ state }: AuthorityStatus): boolean {
  return state === "retiring" || state === "tainted";
}

function activeOf(authorities: readonly AuthorityStatus[]): AuthorityStatus {
  const active = authorities.find(({ state }) => state === "active");
  if (active === undefined) throw new TypeError("a ring without an active authority");
  return active;
}

/** What the ring would refuse in any case is not to wait for anybody. */
function isPossible(
  step: RotationStep,
  authorities: readonly AuthorityStatus[],
  history: ReturnType<AuthorityRing["history"]>,
): boolean {
  const former = authorities.find(isFormer);
  if (step === "revoke") return former !== undefined;
  if (step !== "activate") return false;
  const isPrepared = authorities.some(({ state }) => state === "prepared");
  return former === undefined ? isPrepared : !isPrepared && wasRolledBack(history, former.id);
}
