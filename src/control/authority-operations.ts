/**
 * Takes the steps of rotation, one after the other, whoever asks: each is checked against all live sidecars, carried out
 * by the ring, and told loudly in the log.
 */
import type { PluggedAuthority } from "../ca/plugged-authority.ts";
import type { AuthorityRing, AuthorityStatus, RotationStep } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
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
  readonly by: "a person" | "the folder of the custom authority" | "the renewal of the root";
}

export class AuthorityOperations {
  readonly #options: AuthorityOperationsOptions;
  readonly #register = new SidecarRegister();
  #turn: Promise<unknown> = Promise.resolve();

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
  overview(machines: Pick<OverviewInputs, "custom" | "renewal"> = {}): AuthorityOverview {
    const { ring, clock } = this.#options;
    const history = ring.history();
    return authorityOverview({ ...this.state, history, ...machines }, clock.now());
  }

  take(wanted: StepToTake): Promise<AuthorityStepReply> {
    const taken = this.#turn.then(() => this.#take(wanted));
    this.#turn = taken.catch(() => undefined); // whoever asked hears of it; the next comes all the same
    return taken;
  }

  async #take({ step, gate, authority, by }: StepToTake): Promise<AuthorityStepReply> {
    const { ring, log } = this.#options;
    const before = this.state;
    const blockers = gate === "needless" ? [] : blockersOf(step, before);
    if (blockers.length > 0 && gate === "ask" && isPossible(step, before.authorities))
      return { type: "ca-blocked", blockers, breakage: breakage(step, blockers) };
    const forced = gate === "forced" && blockers.length > 0;
    const outcome =
      step === "prepare"
        ? await ring.prepare(authority ?? "self-signed")
        : await ring.take(step, { forced });
    if ("refused" in outcome) return { type: "refused", problem: outcome.refused };
    const broke = forced ? { broke: breakage(step, blockers) } : {};
    log.warn(`authority rotation: ${MEANING[step]}`, {
      step,
      by,
      authority: outcome.id,
      subject: outcome.subject,
      origin: outcome.origin,
      ends: outcome.chainNotAfter.toISOString(),
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
  rollback: "back to the former authority",
};

/** What the ring would refuse in any case is not to wait for anybody. */
function isPossible(step: RotationStep, authorities: readonly AuthorityStatus[]): boolean {
  const has = (...states: AuthorityStatus["state"][]): boolean =>
    authorities.some(({ state }) => states.includes(state));
  if (step === "activate") return has("prepared") && !has("retiring", "tainted");
  return step === "revoke" && has("retiring", "tainted");
}
