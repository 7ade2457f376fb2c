/** Whether the engine's account of a refusal names what was changed: the first unmet condition of the nearest rule. */
import type { Decision } from "../../src/policy/decision.ts";
import { compiledEngine } from "../kit/compiled-engine.ts";
import type { Dice } from "../kit/dice.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { ATTRIBUTE_KINDS, type AttributeKind } from "./attribute-kinds.ts";
import {
  type Form,
  fieldName,
  generateSingleMiss,
  type SingleMiss,
  TRUST,
} from "./single-misses.ts";

export interface KindCount {
  readonly name: string;
  asked: number;
  named: number;
}

export interface Unnamed {
  readonly miss: SingleMiss;
  /** What was ranked first. */
  readonly told: string;
}

export interface NearestMissOptions {
  readonly ofEach: number;
  readonly onUnnamed: (unnamed: Unnamed) => void;
}

const FORMS: readonly Form[] = ["one of", "none of"];

/** @returns one count for each kind and form */
export function countNearestMisses(dice: Dice, options: NearestMissOptions): readonly KindCount[] {
  return ATTRIBUTE_KINDS.flatMap((kind) =>
    FORMS.map((form) => countKind(dice, { kind, form, ...options })),
  );
}

function countKind(
  dice: Dice,
  { kind, form, ofEach, onUnnamed }: NearestMissOptions & { kind: AttributeKind; form: Form },
): KindCount {
  const not = kind.part === "when" && form === "none of" ? " (notValues)" : "";
  const count = { name: `${kind.id} ${fieldName(kind, form)}${not}`, asked: 0, named: 0 };
  for (; count.asked < ofEach; count.asked += 1) {
    const miss = generateSingleMiss(dice, kind, form);
    const told = firstUnmet(miss);
    if (told === miss.field) count.named += 1;
    else onUnnamed({ miss, told });
  }
  return count;
}

/** @returns the field that is ranked first; otherwise what was decided instead */
function firstUnmet(miss: SingleMiss): string {
  const allowed = decide(miss, miss.allowed);
  if (allowed.verdict !== "allow") return "the first request was refused already";
  const { reason } = decide(miss, miss.refused);
  if (reason.because !== "no-allow-matched") return reason.because;
  return reason.nearest[0]?.unmet[0]?.field ?? "nothing";
}

function decide({ policy }: SingleMiss, facts: TrafficFacts): Decision {
  return compiledEngine({ custom: [], audit: [], deny: [], allow: [policy] }, TRUST)(facts);
}
