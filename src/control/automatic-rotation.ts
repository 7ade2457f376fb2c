/**
 * Brings a mesh to the authority that a folder holds, step by step as its sidecars are ready, without anybody's help
 * (CA-46, CA-47). What it does next follows from what is on disk, so that it goes on after a kill.
 */
import { X509Certificate } from "node:crypto";
import type { OpenedAuthorityRing } from "../ca/authority-ring.ts";
import type { PluggedAuthority } from "../ca/plugged-authority.ts";
import type { RotationStep } from "../ca/rotation.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { AuthorityOperations } from "./authority-operations.ts";
import type { CustomAuthority } from "./authority-overview.ts";
import { type AutomaticStep, automaticStep } from "./automatic-step.ts";
import {
  choiceNow,
  type FolderChoice,
  type FolderChoiceFile,
  stepsSince,
} from "./folder-choice.ts";

/** How often it looks whether the next step can be taken. */
const LOOK_MS = 500;
/** After the ring refused a step. */
const TRY_AGAIN_MS = 15_000;
const ID_CHARACTERS = 16;
const NOT_LOOKED_AT = "read; what is to be done is not known yet";

export interface AutomaticRotationOptions {
  readonly directory: string;
  readonly ring: OpenedAuthorityRing;
  readonly operations: AuthorityOperations;
  /** Where it is kept what the folder held; absent: it is forgotten with the process. */
  readonly choiceFile?: Pick<FolderChoiceFile, "write"> | undefined;
  /** What that file held at the start. */
  readonly lastChoice?: FolderChoice | undefined;
  readonly log: Log;
}

interface Wanted {
  readonly authority: PluggedAuthority;
  readonly id: string;
  readonly roots: ReadonlySet<string>;
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
  /** Why it does not take what came with an authority that it holds; until the folder changes. */
  #unrefreshed: string | undefined;
  /** Why it does not go on, unless somebody does something. */
  #standstill: string | undefined;
  #choice: FolderChoice | undefined;
  #wasEmpty = false;
  #doing = "not read yet";
  /** Id of an authority that brought no new root when it was prepared: nobody has to be waited for. */
  #sameRoot: string | undefined;
  #busy = false;
  /** On the monotonic clock. */
  #notBefore = 0;

  constructor(options: AutomaticRotationOptions) {
    this.#options = options;
    this.#choice = options.lastChoice;
    this.#timer = setInterval(() => this.#lookAgain(), LOOK_MS).unref();
  }

  /** The folder holds this one now; it was found good. */
  offer(authority: PluggedAuthority): void {
    const { directory, log } = this.#options;
    const id = authorityIdOf(authority);
    this.#refused = undefined;
    this.#unrefreshed = undefined;
    this.#refreshed = false;
    log.info("the folder of the custom authority was read", { directory, authority: id });
    for (const problem of authority.notes ?? [])
      log.warn("about the custom authority", { directory, problem });
    if (this.#wasEmpty) this.#choice = undefined;
    this.#wasEmpty = false;
    if (id !== this.#wanted?.id) this.#forgetOutcome();
    this.#wanted = { authority, id, roots: rootsOf(authority.rootsPem) };
    this.#notBefore = 0;
    this.#lookAgain();
  }

  /** What was done for the one before says nothing of this one. */
  #forgetOutcome(): void {
    this.#doing = NOT_LOOKED_AT;
    this.#standstill = undefined;
    this.#unusable = undefined;
  }

  /** The folder holds nothing now: whatever comes into it next was chosen anew. */
  empty(): void {
    this.#wasEmpty = true;
    if (this.#wanted !== undefined) return;
    this.#doing = "the folder is empty; what comes into it is adopted";
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
    const refused = this.#refused ?? this.#unusable ?? this.#unrefreshed;
    const overruled = this.#overruled;
    if (overruled !== undefined) {
      const told = { directory, doing: overruled, standstill: overruled };
      return refused === undefined ? told : { ...told, refused };
    }
    const standstill = this.#standstill;
    const isGoing = this.#wanted !== undefined && (refused ?? standstill) === undefined;
    return {
      directory,
      doing,
      ...(refused !== undefined && { refused }),
      ...(standstill !== undefined && { standstill }),
      ...(isGoing && { goesOn: "by itself" }),
    };
  }

  /** What a person did a moment ago counts at once, not when it is looked at the next time. */
  get #overruled(): string | undefined {
    const [wanted, choice] = [this.#wanted, this.#choice];
    if (wanted === undefined || choice?.authority !== wanted.id) return undefined;
    if (choice.directory !== this.#options.directory) return undefined;
    const { doing, isOverruled } = this.#nextStep(wanted, choice);
    return isOverruled && doing;
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
    const wanted = this.#wanted;
    this.#busy = true;
    this.#bringNearer(wanted)
      .catch((error: unknown) => this.#fail(wanted, describeError(error)))
      .finally(() => {
        this.#busy = false;
      });
  }

  async #bringNearer(wanted: Wanted): Promise<void> {
    const { ring, operations } = this.#options;
    await this.#refresh(wanted);
    const choice = await this.#choose(wanted);
    const { step, doing } = this.#nextStep(wanted, choice);
    const last = ring.history().at(-1);
    const former = ring.status().find(({ id }) => id !== wanted.id)?.id;
    if (step === undefined) return this.#say(wanted, doing);
    const trusted = rootsOf(ring.trust.current.rootsPem);
    if (step === "prepare" && isWithin(wanted.roots, trusted)) this.#sameRoot = wanted.id;
    const reply = await operations.take({
      step,
      gate: step === "activate" && this.#sameRoot === wanted.id ? "needless" : "ask",
      authority: step === "prepare" ? wanted.authority : undefined,
      after: { step: last },
      by: "the folder of the custom authority",
    });
    if (reply.type === "refused" && ring.history().at(-1) !== last) return; // somebody was faster
    if (reply.type === "refused")
      return this.#refuseSet(wanted, `${step} is refused: ${reply.problem}`);
    if (reply.type === "ca-taken")
      return this.#say(wanted, `${doing}; ${takenWords(step, former)}`);
    const waits = reply.blockers.map(({ pod, lacks }) => `${pod} ${lacks}`).join(", ");
    this.#say(wanted, `${doing}; ${step} waits: ${waits}`);
  }

  #nextStep(wanted: Wanted, choice: FolderChoice): AutomaticStep {
    const { ring } = this.#options;
    const history = ring.history();
    return automaticStep({
      wanted: wanted.id,
      authorities: ring.status(),
      history,
      since: stepsSince(choice, history),
      roots: isWithin(rootsOf(ring.trust.current.rootsPem), wanted.roots)
        ? "its own"
        : "others too",
    });
  }

  /** While no step of its own is under way, so that only people's come after it. */
  async #choose({ id }: Wanted): Promise<FolderChoice> {
    const { directory, ring, choiceFile, log } = this.#options;
    const before = this.#choice;
    if (before?.directory === directory && before.authority === id) return before;
    const choice = choiceNow({ directory, authority: id }, ring.history());
    this.#choice = choice;
    await choiceFile?.write(choice).catch((error: unknown) =>
      log.warn("what the folder of the custom authority holds was not written down", {
        directory,
        problem: describeError(error),
      }),
    );
    return choice;
  }

  /** Of an authority that is held already: what came with it may be other than it was (CA-46, CA-50). */
  async #refresh({ authority, id }: Wanted): Promise<void> {
    const { ring, log, directory } = this.#options;
    if (this.#refreshed) return;
    this.#refreshed = true;
    if (!ring.status().some((held) => held.id === id)) return;
    const outcome = await ring.refresh(authority);
    if (!("refused" in outcome)) return;
    this.#unrefreshed = outcome.refused;
    log.error("what comes with the custom authority is refused; what was before stays", {
      directory,
      problem: outcome.refused,
    });
  }

  #fail(wanted: Wanted, problem: string): void {
    if (!this.#isStillWanted(wanted)) return;
    this.#notBefore = performance.now() + TRY_AGAIN_MS;
    this.#say(wanted, problem, problem);
  }

  #refuseSet(wanted: Wanted, problem: string): void {
    if (!this.#isStillWanted(wanted)) return;
    this.#fail(wanted, problem);
    this.#standstill = undefined;
    this.#unusable = problem;
  }

  /** The folder may hold another by the time that something is known of the one before. */
  #isStillWanted({ id }: Wanted): boolean {
    return this.#wanted?.id === id;
  }

  #say(wanted: Wanted, doing: string, standstill?: string): void {
    if (!this.#isStillWanted(wanted)) return;
    this.#unusable = undefined;
    this.#standstill = standstill;
    if (doing === this.#doing) return;
    this.#doing = doing;
    const { log, directory } = this.#options;
    log.warn(`custom authority ${wanted.id}`, { directory, custom: wanted.id, doing });
  }
}

/** As the ring names it. */
export function authorityIdOf({ certificatePem }: PluggedAuthority): string {
  const { fingerprint256 } = new X509Certificate(certificatePem);
  return fingerprint256.replaceAll(":", "").toLowerCase().slice(0, ID_CHARACTERS);
}

/** @param other the one that is held beside the folder's */
function takenWords(step: RotationStep, other = "none"): string {
  if (step === "prepare") return "it is prepared now";
  if (step === "activate") return "it is active now";
  if (step === "rollback") return `${other} was rolled back now`;
  return `the former one, ${other}, is ${step === "taint" ? "tainted" : "revoked"} now`;
}

function rootsOf(rootsPem: readonly string[]): ReadonlySet<string> {
  return new Set(rootsPem.map((pem) => new X509Certificate(pem).fingerprint256));
}

function isWithin(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((one) => all.has(one));
}
