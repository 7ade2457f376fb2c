/** What external authorizers answered. Their names come from the mesh configuration, so that their series are few. */
import { Counter, type Registry } from "prom-client";
import type { AuthorizerAnswer } from "../policy/decision.ts";

export class AuthorizerMetrics {
  readonly #answers: Counter<"provider" | "outcome" | "dry_run">;
  readonly #milliseconds: Counter<"provider">;

  constructor(registers: Registry[]) {
    this.#answers = new Counter({
      name: "hauberk_authorizer_answers_total",
      help: "Questions to external authorizers, by what came of them.",
      labelNames: ["provider", "outcome", "dry_run"] as const,
      registers,
    });
    this.#milliseconds = new Counter({
      name: "hauberk_authorizer_milliseconds_total",
      help: "Milliseconds from questions to external authorizers to their answers, in all.",
      labelNames: ["provider"] as const,
      registers,
    });
  }

  record({ provider, outcome, milliseconds, dryRun }: AuthorizerAnswer): void {
    this.#answers.inc({ provider, outcome, dry_run: String(dryRun === true) });
    this.#milliseconds.inc({ provider }, milliseconds);
  }
}
