/**
 * For a denial: which ALLOW rules came closest to matching, and what kept each of them from it. Whoever is denied makes
 * us look for it, so the work is bounded: rules that mean the caller come first, and of very many not all are asked.
 */
import type { CompiledCondition, CompiledRule } from "../authorization-rule.ts";
import type { NearestMiss } from "../decision.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { BoundRules, PeerRules } from "./peer-rules.ts";

const MAX_NEAREST = 3;
const MAX_RULES_ASKED = 64;
const MAX_CONDITIONS_ASKED = 1_000;
/** Below so many rules all are asked, and nothing has to be looked up. */
const FEW_RULES = 128;
const MAX_FOUND_BY_INDEX = 24;
/** An unmet condition weighs more than all that are met, and one that is met more than what is said about identity. */
const UNMET = 1_000_000;
const MET = 10;
const UNMET_BY_IDENTITY = UNMET + 1;

/**
 * At most three: those with the fewest unmet conditions first; of these, those of which more is met; then those that
 * let the caller's identity in; then in the order of evaluation (AP-35).
 */
export function nearestMisses(
  asked: AllowRules,
  bound: BoundRules,
  traffic: Traffic,
): readonly NearestMiss[] {
  const asking: Asking = {
    traffic,
    left: MAX_CONDITIONS_ASKED,
    furthest: Number.POSITIVE_INFINITY,
  };
  const nearest: Ranked[] = [];
  for (const order of ordersToAsk(asked, bound, traffic)) {
    const rule = asked.rules.ruleAt(order);
    if (rule !== undefined) rank(nearest, { order, rule, distance: distanceOf(rule, asking) });
    const [, , third] = nearest;
    if (third !== undefined) asking.furthest = third.distance + UNMET;
    if (asking.left <= 0) break;
  }
  return nearest.map(({ rule }) => tell(rule, traffic));
}

/** ALLOW rules from `firstAllow` on; what is before it is not looked at. */
export interface AllowRules {
  readonly rules: PeerRules;
  readonly firstAllow: number;
}

interface Ranked {
  readonly order: number;
  readonly rule: CompiledRule;
  readonly distance: number;
}

interface Asking {
  readonly traffic: Traffic;
  /** How many more conditions may be asked. */
  left: number;
  /** What is so far away is not asked to its end. */
  furthest: number;
}

/** Each once: rules that only the identity keeps from matching, then those that mean the caller, then the others. */
function ordersToAsk(
  { rules, firstAllow }: AllowRules,
  bound: BoundRules,
  traffic: Traffic,
): Iterable<number> {
  const { count } = rules;
  const found = new Set<number>();
  const add = (order: number): boolean => {
    if (order >= firstAllow) found.add(order);
    return found.size < MAX_RULES_ASKED;
  };
  if (count - firstAllow > FEW_RULES) {
    for (const order of rules.matchingForSomebody(traffic, MAX_FOUND_BY_INDEX)) add(order);
    for (const order of bound.orders()) if (!add(order)) return found;
  }
  for (let order = firstAllow; order < count; order++) if (!add(order)) return found;
  return found;
}

function rank(nearest: Ranked[], next: Ranked): void {
  const worse = nearest.findIndex((one) => isNearer(next, one));
  if (worse >= 0) nearest.splice(worse, 0, next);
  else nearest.push(next);
  if (nearest.length > MAX_NEAREST) nearest.pop();
}

function isNearer(left: Ranked, right: Ranked): boolean {
  if (left.distance !== right.distance) return left.distance < right.distance;
  return left.order < right.order;
}

function distanceOf({ from, to, when }: CompiledRule, asking: Asking): number {
  return closest(from, asking).distance + closest(to, asking).distance + distanceTo(when, asking);
}

/** Of alternatives the one that came closest; of equals the first. */
function closest(
  alternatives: readonly (readonly CompiledCondition[])[],
  asking: Asking,
): {
  readonly distance: number;
  readonly conditions: readonly CompiledCondition[];
} {
  let best = { distance: 0, conditions: NO_CONDITIONS };
  for (const [index, conditions] of alternatives.entries()) {
    const distance = distanceTo(conditions, asking);
    if (index === 0 || distance < best.distance) best = { distance, conditions };
    if (asking.left <= 0) break;
  }
  return best;
}

const NO_CONDITIONS: readonly CompiledCondition[] = [];

function distanceTo(conditions: readonly CompiledCondition[], asking: Asking): number {
  let distance = 0;
  for (const { matches, attribute } of conditions) {
    if (distance >= asking.furthest) break;
    asking.left--;
    if (matches(asking.traffic)) distance -= MET;
    else distance += attribute?.origin === "peer" ? UNMET_BY_IDENTITY : UNMET;
  }
  return distance;
}

function tell({ ref, from, to, when }: CompiledRule, traffic: Traffic): NearestMiss {
  const asking = {
    traffic,
    left: MAX_CONDITIONS_ASKED,
    furthest: Number.POSITIVE_INFINITY,
  };
  const conditions = [
    ...closest(from, asking).conditions,
    ...closest(to, asking).conditions,
    ...when,
  ];
  return {
    rule: ref,
    unmet: conditions
      .filter((condition) => !condition.matches(traffic))
      .map(({ field, expected, got }) => ({
        field,
        expected,
        got: got(traffic),
      })),
  };
}
