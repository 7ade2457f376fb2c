/**
 * DestinationRules of one namespace for one host that go together: of several, one `trafficPolicy` counts.
 * Source: `mergeDestinationRule` in `pilot/pkg/model/destination_rule.go`
 */
import type { DestinationRule } from "../api/destination-rule.ts";
import type { ChosenRule } from "./destination-rules.ts";

/** The first `trafficPolicy` counts as a whole, and of each subset the first. */
export class DestinationRuleBundle {
  readonly #first: DestinationRule;
  /** Whose the traffic policy is. */
  #deciding: DestinationRule;
  #subsets: ChosenRule["subsets"];
  readonly #passedOver: DestinationRule[] = [];

  constructor(rule: DestinationRule) {
    this.#first = rule;
    this.#deciding = rule;
    this.#subsets = rule.subsets;
  }

  get hasSelector(): boolean {
    return this.#first.workloadSelector !== undefined;
  }

  get deciding(): DestinationRule {
    return this.#deciding;
  }

  /** Those that have a traffic policy which does not count. */
  get passedOver(): readonly DestinationRule[] {
    return this.#passedOver;
  }

  get chosen(): ChosenRule {
    const { kind, meta, trafficPolicy } = this.#deciding;
    const { namespace, name, source } = meta;
    const origin = { ref: { kind, namespace, name }, source };
    return {
      origin,
      subsets: this.#subsets,
      ...(trafficPolicy && { trafficPolicy }),
      ...(this.hasSelector && { hasSelector: true }),
    };
  }

  /** For the same clients, or for those and more. */
  goesWith({ exportTo, workloadSelector }: DestinationRule): boolean {
    const first = this.#first;
    if (!first.exportTo.every((namespace) => exportTo.includes(namespace))) return false;
    return keyOf(first.workloadSelector) === keyOf(workloadSelector);
  }

  add(rule: DestinationRule): void {
    const known = new Set(this.#subsets.map(({ name }) => name));
    this.#subsets = [...this.#subsets, ...rule.subsets.filter(({ name }) => !known.has(name))];
    if (rule.trafficPolicy === undefined) return;
    if (this.#deciding.trafficPolicy === undefined) this.#deciding = rule;
    else this.#passedOver.push(rule);
  }
}

/**
 * A rule may go with several bundles; it makes one of its own where it does not go with the last.
 *
 * @param rules for one host: those with a selector first, and the oldest of each kind
 */
export function bundlesOf(rules: readonly DestinationRule[]): readonly DestinationRuleBundle[] {
  const bundles: DestinationRuleBundle[] = [];
  for (const rule of rules) {
    const going = bundles.filter((bundle) => bundle.goesWith(rule));
    for (const bundle of going) bundle.add(rule);
    if (going.length === 0 || going.at(-1) !== bundles.at(-1)) {
      bundles.push(new DestinationRuleBundle(rule));
    }
  }
  return bundles;
}

function keyOf(selector: DestinationRule["workloadSelector"]): string {
  if (selector === undefined) return "everybody";
  return JSON.stringify(Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1)));
}
