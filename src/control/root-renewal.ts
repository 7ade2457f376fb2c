/**
 * Renews the root that a mesh made for itself before it ends (CA-42), without anybody's help: by the steps of every
 * rotation, each as soon as all sidecars are ready for it.
 */
import type { OpenedAuthorityRing } from "../ca/authority-ring.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { AuthorityOperations } from "./authority-operations.ts";
import { type RootRenewalRules, selfSignedStep } from "./self-signed-step.ts";

/** How often it looks whether the next step can be taken. */
const LOOK_MS = 500;
/** After the ring refused a step. */
const TRY_AGAIN_MS = 15_000;

export interface RootRenewalOptions {
  readonly ring: Pick<OpenedAuthorityRing, "status" | "history" | "recover">;
  readonly operations: Pick<AuthorityOperations, "take">;
  readonly rules: RootRenewalRules;
  /** Whether a folder decides which authority is next: then this looks on. */
  readonly isLeftToFolder: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class RootRenewal {
  readonly #options: RootRenewalOptions;
  readonly #timer: NodeJS.Timeout;
  #doing: string | undefined;
  #planned: string | undefined;
  #standstill: string | undefined;
  #busy = false;
  /** On the monotonic clock. */
  #notBefore = 0;

  constructor(options: RootRenewalOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#look();
  }

  /** For people; undefined where no self-signed root signs. */
  get doing(): string | undefined {
    return this.#doing ?? this.#planned;
  }

  /** Why it does not go on unless somebody does something. */
  get standstill(): string | undefined {
    return this.#standstill;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#busy || performance.now() < this.#notBefore) return;
    this.#busy = true;
    this.#takeStep()
      .catch((error: unknown) => this.#fail(describeError(error)))
      .finally(() => {
        this.#busy = false;
      });
  }

  async #takeStep(): Promise<void> {
    const { ring, operations, rules, isLeftToFolder, clock, log } = this.#options;
    this.#planned = undefined;
    const recovered = isLeftToFolder() ? undefined : await ring.recover();
    if (recovered !== undefined) log.error(recovered);
    if (isLeftToFolder()) return this.#say(undefined);
    const inputs = { authorities: ring.status(), history: ring.history() };
    const next = selfSignedStep(inputs, { ...rules, now: clock.now() });
    const { step, gate, doing } = next;
    this.#planned = next.planned;
    if (step === undefined) return this.#say(doing, next.isOverruled && doing);
    const last = inputs.history.at(-1);
    const by = "the renewal of the root";
    const reply = await operations.take({ step, gate, after: { step: last }, by });
    if (reply.type === "ca-taken") return; // it was said
    if (reply.type === "refused" && ring.history().at(-1) !== last) return; // somebody was faster
    if (reply.type === "refused") return this.#fail(`${step} is refused: ${reply.problem}`);
    const waits = reply.blockers.map(({ pod, lacks }) => `${pod} ${lacks}`).join(", ");
    this.#say(`${doing}; ${step} waits: ${waits}`);
  }

  #fail(problem: string): void {
    this.#notBefore = performance.now() + TRY_AGAIN_MS;
    this.#say(problem, problem);
  }

  #say(doing: string | undefined, standstill?: string): void {
    this.#standstill = standstill;
    if (doing === this.#doing) return;
    this.#doing = doing;
    if (doing !== undefined) this.#options.log.warn("renewal of the self-signed root", { doing });
  }
}
