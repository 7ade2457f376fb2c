/**
 * Brings a mesh to the authority that a folder holds, step by step as its sidecars are ready, without anybody's help
 * (CA-46, CA-47). What it does next follows from what is on disk, so that it goes on after a kill.
 */
import { X509Certificate } from "node:crypto";
import type { OpenedAuthorityRing } from "../ca/authority-ring.ts";
import type { PluggedAuthority } from "../ca/plugged-authority.ts";
import type { RotationStep } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { AuthorityOperations } from "./authority-operations.ts";
import type { CustomAuthority } from "./authority-overview.ts";
import { automaticStep } from "./automatic-step.ts";

/** How often it looks whether the next step can be taken. */
const LOOK_MS = 500;
/** After the ring refused a step. */
const TRY_AGAIN_MS = 15_000;
const ID_CHARACTERS = 16;

export interface AutomaticRotationOptions {
  readonly directory: string;
  readonly ring: OpenedAuthorityRing;
  readonly operations: AuthorityOperations;
  readonly clock: Clock;
  readonly log: Log;
}

interface Wanted {
  readonly authority: PluggedAuthority;
  readonly id: string;
  readonly roots: ReadonlySet<string>;
  /** When the folder was seen to change to it; absent when it held it from the start. */
  readonly chosenAt?: Date;
}

export class AutomaticRotation {
  readonly #options: AutomaticRotationOptions;
  readonly #timer: NodeJS.Timeout;
  /** Whether the ring has what the folder holds beside the certificate: lists of revoked ones, further roots. */
  #refreshed = true;
  #wanted: Wanted | undefined;
  #refused: string | undefined;
  /** Why the ring does not take what was found good. */
  #unusable: string | undefined;
  #doing = "not read yet";
  /** Id of an authority that brought no new root when it was prepared: nobody has to be waited for. */
  #sameRoot: string | undefined;
  #busy = false;
  /** On the monotonic clock. */
  #notBefore = 0;

  constructor(options: AutomaticRotationOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#lookAgain(), LOOK_MS).unref();
  }

  /** The folder holds this one now; it was found good. */
  offer(authority: PluggedAuthority): void {
    const { clock, directory, log } = this.#options;
    const id = authorityIdOf(authority);
    const before = this.#wanted;
    this.#refused = undefined;
    this.#refreshed = false;
    log.info("the folder of the custom authority was read", { directory, authority: id });
    for (const problem of authority.notes ?? [])
      log.warn("about the custom authority", { directory, problem });
    const chosenAt = before === undefined || before.id === id ? before?.chosenAt : clock.now();
    const roots = rootsOf(authority.rootsPem);
    this.#wanted = { authority, id, roots, ...(chosenAt && { chosenAt }) };
    this.#notBefore = 0;
    this.#lookAgain();
  }

  /** What the folder holds now is bad; the last good one stays. */
  refuse(problem: string): void {
    if (problem === this.#refused) return;
    this.#refused = problem;
    this.#options.log.error("the custom authority is refused; the one before stays", {
      directory: this.#options.directory,
      problem,
    });
  }

  get custom(): CustomAuthority {
    const { directory } = this.#options;
    const doing = this.#doing;
    const refused = this.#refused ?? this.#unusable;
    return refused === undefined ? { directory, doing } : { directory, doing, refused };
  }

  /** Whether the folder has held a good one. */
  get isInCharge(): boolean {
    return this.#wanted !== undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wanted = undefined;
  }

  #lookAgain(): void {
    if (this.#busy || this.#wanted === undefined || performance.now() < this.#notBefore) return;
    this.#busy = true;
    this.#bringNearer(this.#wanted)
      .catch((error: unknown) => this.#fail(describeError(error)))
      .finally(() => {
        this.#busy = false;
      });
  }

  async #bringNearer(wanted: Wanted): Promise<void> {
    const { ring, operations } = this.#options;
    if (!(await this.#refresh(wanted))) return;
    const trusted = rootsOf(ring.trust.current.rootsPem);
    const { step, doing } = automaticStep({
      wanted: wanted.id,
      authorities: ring.status(),
      history: ring.history(),
      roots: isWithin(trusted, wanted.roots) ? "its own" : "others too",
      chosenAt: wanted.chosenAt,
    });
    if (step === undefined) return this.#say(doing);
    if (step === "prepare" && isWithin(wanted.roots, trusted)) this.#sameRoot = wanted.id;
    const reply = await operations.take({
      step,
      gate: step === "activate" && this.#sameRoot === wanted.id ? "needless" : "ask",
      authority: step === "prepare" ? wanted.authority : undefined,
      by: "the folder of the custom authority",
    });
    if (reply.type === "refused") return this.#refuseSet(`${step} is refused: ${reply.problem}`);
    if (reply.type === "ca-taken") return this.#say(`${doing}; ${TAKEN[step]}`);
    const waits = reply.blockers.map(({ pod, lacks }) => `${pod} ${lacks}`).join(", ");
    this.#say(`${doing}; ${step} waits: ${waits}`);
  }

  /** Of an authority that is held already: what came with it may be other than it was (CA-46, CA-50). */
  async #refresh({ authority, id }: Wanted): Promise<boolean> {
    const { ring } = this.#options;
    if (this.#refreshed) return true;
    this.#refreshed = true;
    if (!ring.status().some((held) => held.id === id)) return true;
    const outcome = await ring.refresh(authority);
    if (!("refused" in outcome)) return true;
    this.#refuseSet(outcome.refused);
    return false;
  }

  #fail(problem: string): void {
    this.#notBefore = performance.now() + TRY_AGAIN_MS;
    this.#say(problem);
  }

  #refuseSet(problem: string): void {
    this.#fail(problem);
    this.#unusable = problem;
  }

  #say(doing: string): void {
    this.#unusable = undefined;
    if (doing === this.#doing) return;
    this.#doing = doing;
    const { log, directory } = this.#options;
    log.warn("custom authority", { directory, authority: this.#wanted?.id, doing });
  }
}

/** As the ring names it. */
export function authorityIdOf({ certificatePem }: PluggedAuthority): string {
  const { fingerprint256 } = new X509Certificate(certificatePem);
  return fingerprint256.replaceAll(":", "").toLowerCase().slice(0, ID_CHARACTERS);
}

const TAKEN: Readonly<Record<RotationStep, string>> = {
  prepare: "it is prepared now",
  activate: "it is active now",
  taint: "the former one is tainted now",
  revoke: "the former one is revoked now",
  rollback: "the other one is taken back now",
};

function rootsOf(rootsPem: readonly string[]): ReadonlySet<string> {
  return new Set(rootsPem.map((pem) => new X509Certificate(pem).fingerprint256));
}

function isWithin(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((one) => all.has(one));
}
