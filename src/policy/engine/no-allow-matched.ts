/**
 * The reason of most denials. What came nearest is looked for when somebody reads it: the log does, a caller of the
 * library may not. As JSON it is data like every other reason.
 */
import type { ResourceRef } from "../../api/resource.ts";
import type { NearestMiss } from "../decision.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { type AllowRules, nearestMisses } from "./nearest-misses.ts";
import type { BoundRules } from "./peer-rules.ts";

export interface DenyingPolicies extends AllowRules {
  /** Every ALLOW policy that applies, with rules or without (AP-20). */
  readonly considered: readonly ResourceRef[];
}

export class NoAllowMatched {
  readonly because = "no-allow-matched";
  readonly considered: readonly ResourceRef[];
  readonly #policies: DenyingPolicies;
  readonly #bound: BoundRules;
  readonly #traffic: Traffic;
  #nearest: readonly NearestMiss[] | undefined = undefined;

  constructor(policies: DenyingPolicies, bound: BoundRules, traffic: Traffic) {
    this.considered = policies.considered;
    this.#policies = policies;
    this.#bound = bound;
    this.#traffic = traffic;
  }

  /** At most three, best first. */
  get nearest(): readonly NearestMiss[] {
    this.#nearest ??= nearestMisses(this.#policies, this.#bound, this.#traffic);
    return this.#nearest;
  }

  toJSON(): unknown {
    const { because, considered, nearest } = this;
    return { because, considered, nearest };
  }
}
