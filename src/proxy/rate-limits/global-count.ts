/** Counts a request by the limits of the whole mesh, and by the pod alone where nobody can be asked and the limit says so. */
import type { LimitOutcome } from "../../policy/rate-limits/limit-outcome.ts";
import type { CountedLimit } from "./counted-limit.ts";
import type { GlobalAnswer, GlobalQuestion } from "./global-limiter.ts";
import type { KnownLimits } from "./known-limits.ts";
import type { LimitState } from "./limit-fields.ts";
import type { LimitedRequest, RefusedByLimit } from "./rate-limits.ts";

export interface GlobalFound {
  /** By the first limit in force that has no room. */
  readonly refused: RefusedByLimit | undefined;
  /** Of limits on trial without room. */
  readonly trials: readonly LimitOutcome[];
  /** Of limits that are always told of. */
  readonly states: readonly LimitState[];
  /** Names of limits that did not count it. */
  readonly uncounted: readonly string[];
}

/** A question, and the limit that asks it. */
interface Asked {
  readonly counted: CountedLimit;
  readonly question: GlobalQuestion;
}

const NOTHING: GlobalFound = { refused: undefined, trials: [], states: [], uncounted: [] };
const UNAVAILABLE: GlobalAnswer = { verdict: "unavailable", left: 0, retryAfterMs: 0 };

export class GlobalCount {
  readonly #limits: readonly CountedLimit[];
  readonly #known: KnownLimits;

  constructor(limits: readonly CountedLimit[], known: KnownLimits) {
    this.#limits = limits;
    this.#known = known;
  }

  /** It never rejects. */
  count(request: LimitedRequest): GlobalFound | Promise<GlobalFound> {
    const asked: Asked[] = [];
    for (const counted of this.#limits) {
      if (!counted.concerns(request)) continue;
      const { limit, bucket: key, sharer: principal } = counted;
      asked.push({ counted, question: { limit, key, principal } });
    }
    if (asked.length === 0) return NOTHING;
    const enforced = asked.filter(({ question }) => question.limit.mode === "Enforce");
    const trial = asked.filter(({ question }) => question.limit.mode === "Shadow");
    const found = this.#ask(enforced);
    if (found instanceof Promise) {
      return found.then((answers) => this.#afterEnforced(request, { enforced, answers, trial }));
    }
    return this.#afterEnforced(request, { enforced, answers: found, trial });
  }

  /** What is refused is not counted by limits on trial either. */
  #afterEnforced(
    request: LimitedRequest,
    { enforced, answers, trial }: Answered & { readonly trial: readonly Asked[] },
  ): GlobalFound | Promise<GlobalFound> {
    const found = this.#judge(request, { enforced, answers });
    if (found.refused !== undefined || trial.length === 0) return found;
    const trials = trial.map((one) => this.#ask([one]));
    return Promise.all(trials).then((each) => ({
      ...found,
      trials: trial.flatMap((one, index) => this.#tried(request, one, each[index]?.[0])),
      uncounted: [
        ...found.uncounted,
        ...trial.flatMap((one, index) => uncountedBy(one, each[index]?.[0])),
      ],
    }));
  }

  #judge(request: LimitedRequest, { enforced, answers }: Answered): GlobalFound {
    const states: LimitState[] = [];
    const uncounted: string[] = [];
    let refused: RefusedByLimit | undefined;
    for (const [index, one] of enforced.entries()) {
      uncounted.push(...uncountedBy(one, answers[index]));
      const answer = this.#settled(one, answers[index] ?? UNAVAILABLE);
      refused ??= this.#refusal(request, one, answer);
      const { limit } = one.counted;
      if (limit.headers === "Always" && answer.verdict !== "unknown")
        states.push({ limit, left: answer.left });
    }
    if (refused !== undefined) this.#giveBack(enforced, answers);
    return { refused, trials: [], states, uncounted };
  }

  #refusal(
    request: LimitedRequest,
    { counted }: Asked,
    { verdict, left, retryAfterMs }: GlobalAnswer,
  ): RefusedByLimit | undefined {
    const { limit, tally } = counted;
    if (verdict === "room") tally.passed++;
    if (verdict === "room" || verdict === "unknown") return undefined;
    const unavailable = verdict === "unavailable" && ({ unavailable: true } as const);
    if (!unavailable) tally.refused++;
    else if (limit.whenUnavailable === "Allow") return undefined;
    const outcome = counted.outcomeOf(request, { left, retryAfterMs, ...unavailable });
    const state = { limit, left };
    return { outcome, state, headers: limit.headers };
  }

  #tried(
    request: LimitedRequest,
    one: Asked,
    answer: GlobalAnswer = UNAVAILABLE,
  ): readonly LimitOutcome[] {
    const { verdict, left, retryAfterMs } = this.#settled(one, answer);
    const { counted } = one;
    if (verdict === "room") counted.tally.passed++;
    if (verdict !== "over") return [];
    counted.tally.wouldRefuse++;
    return [counted.outcomeOf(request, { left, retryAfterMs })];
  }

  /** Where nobody could be asked, and the pod is to count for itself: by the figure of the whole mesh. */
  #settled({ counted, question }: Asked, answer: GlobalAnswer): GlobalAnswer {
    const { tally, limit, meter } = counted;
    if (answer.verdict === "unknown") tally.unknown++;
    if (answer.verdict !== "unavailable") return answer;
    tally.unavailable++;
    if (limit.whenUnavailable !== "Local") return answer;
    const wait = meter.look(question.key, question.principal, this.#known.now());
    if (wait === 0) meter.take();
    return { verdict: wait === 0 ? "room" : "over", left: meter.left(), retryAfterMs: wait };
  }

  /** Of several limits those that had room, as another one refused what they counted. */
  #giveBack(enforced: readonly Asked[], answers: readonly GlobalAnswer[]): void {
    const counted = enforced.filter((_one, index) => answers[index]?.verdict === "room");
    const isCounted = counted.length > 0 && answers.every(({ verdict }) => verdict !== "over");
    if (isCounted) this.#known.global?.giveBack(counted.map(({ question }) => question));
  }

  #ask(asked: readonly Asked[]): readonly GlobalAnswer[] | Promise<readonly GlobalAnswer[]> {
    if (asked.length === 0) return [];
    const { global } = this.#known;
    if (global === undefined) return asked.map(() => UNAVAILABLE);
    return global.ask(asked.map(({ question }) => question));
  }
}

function uncountedBy(
  { counted }: Asked,
  { verdict }: GlobalAnswer = UNAVAILABLE,
): readonly string[] {
  return verdict === "unavailable" || verdict === "unknown" ? [counted.tally.limit] : [];
}

interface Answered {
  readonly enforced: readonly Asked[];
  readonly answers: readonly GlobalAnswer[];
}
