/**
 * Decisions as they are counted: what was decided, what policies on trial would have decided (as AP-135), and what AUDIT
 * policies noted (AP-9). Traffic that a rule decides shares the reason made when the rules were compiled, so that its
 * counter is found by that; the library hears of it when somebody reads.
 */
import { Counter, type Registry } from "prom-client";
import type { ResourceRef } from "../api/resource.ts";
import type { Decision, Judged, Reason } from "../policy/decision.ts";

const JUDGEMENT_LABELS = ["verdict", "because", "policy", "rule"] as const;
type JudgementLabels = Record<(typeof JUDGEMENT_LABELS)[number], string>;

export class DecisionMetrics {
  readonly #decided: JudgementCounter;
  readonly #tried: JudgementCounter;
  readonly #audited: Counter<"policy" | "rule">;

  constructor(registers: Registry[]) {
    this.#decided = new JudgementCounter(registers, {
      name: "hauberk_decisions_total",
      help: "Decisions, by what decided.",
    });
    this.#tried = new JudgementCounter(registers, {
      name: "hauberk_dry_run_decisions_total",
      help: "What would have been decided with the policies on trial in force, by what would have decided.",
    });
    this.#audited = new Counter({
      name: "hauberk_audited_total",
      help: "Traffic that an AUDIT policy asks to be noted, by its first rule that matched.",
      labelNames: ["policy", "rule"] as const,
      registers,
    });
  }

  record(decision: Decision): void {
    const { dryRun, audited } = decision;
    this.#decided.count(decision);
    if (dryRun !== undefined) this.#tried.count(dryRun);
    if (audited === undefined) return;
    this.#audited.inc({ policy: nameOfPolicy(audited.policy), rule: String(audited.rule) });
  }
}

/** How often one and the same reason led to a verdict, and the library does not know yet. */
interface Tally extends Pick<Judged, "verdict"> {
  readonly labels: JudgementLabels;
  untold: number;
}

/** So many kinds of judgements wait at most until somebody reads: a policy that changes all the time makes ever new ones. */
const MAX_UNTOLD = 256;

class JudgementCounter {
  readonly #counter: Counter<(typeof JUDGEMENT_LABELS)[number]>;
  readonly #tallies = new WeakMap<Reason, Tally>();
  /** Those with something untold. */
  readonly #untold: Tally[] = [];

  constructor(registers: Registry[], named: { readonly name: string; readonly help: string }) {
    this.#counter = new Counter({
      ...named,
      labelNames: JUDGEMENT_LABELS,
      registers,
      collect: () => this.#tell(),
    });
  }

  count(judged: Judged): void {
    const known = this.#tallies.get(judged.reason);
    const tally = known?.verdict === judged.verdict ? known : this.#tallyOf(judged);
    if (tally.untold++ > 0) return;
    this.#untold.push(tally);
    if (this.#untold.length >= MAX_UNTOLD) this.#tell();
  }

  #tallyOf(judged: Judged): Tally {
    const { verdict, reason } = judged;
    const tally = { verdict, labels: judgementLabels(judged), untold: 0 };
    this.#tallies.set(reason, tally);
    return tally;
  }

  #tell(): void {
    for (const tally of this.#untold) {
      this.#counter.inc(tally.labels, tally.untold);
      tally.untold = 0;
    }
    this.#untold.length = 0;
  }
}

function judgementLabels({ verdict, reason }: Judged): JudgementLabels {
  return {
    verdict,
    because: reason.because,
    policy: decidingPolicies(reason).map(nameOfPolicy).join(","),
    rule: "matched" in reason ? String(reason.matched.rule) : "",
  };
}

/** One whose rule matched, or those whose authorizers are asked, or those by which a pod is isolated. */
function decidingPolicies(reason: Reason): readonly ResourceRef[] {
  if ("matched" in reason) return [reason.matched.policy];
  if (reason.because === "matched-custom") {
    return reason.delegations.map(({ matched }) => matched.policy);
  }
  if (reason.because === "rate-limited") return [reason.origin.ref];
  return reason.because === "network-policy" ? reason.policies : [];
}

function nameOfPolicy({ namespace, name }: ResourceRef): string {
  return `${namespace}/${name}`;
}
