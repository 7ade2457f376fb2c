/** Takes rules apart into candidates: what is said of the caller's identity away from what is said of traffic. */
import type { CompiledCondition, CompiledRule } from "../authorization-rule.ts";
import type { Asked, Candidate } from "./candidate.ts";
import { isOfPeer, type PeerDemand } from "./peer-demand.ts";

/** Alternatives of a rule are multiplied with each other up to this; more of them are tried one after the other. */
const MAX_PRODUCT = 1024;
const MIN_PRODUCT = 16;
/** So many candidates may be made by multiplying, all rules together. */
const MAX_PRODUCTS_OF_ALL = 200_000;

/** @param rules in the order of evaluation */
export function takeApart(rules: readonly CompiledRule[]): readonly Candidate[] {
  const fair = Math.floor(MAX_PRODUCTS_OF_ALL / Math.max(1, rules.length));
  const limit = Math.min(MAX_PRODUCT, Math.max(MIN_PRODUCT, fair));
  const known = new KnownDemands();
  return rules.flatMap((rule, order) => candidatesOf(rule, { order, limit, known }));
}

function candidatesOf(
  { from, to, when }: CompiledRule,
  {
    order,
    limit,
    known,
  }: { readonly order: number; readonly limit: number; readonly known: KnownDemands },
): readonly Candidate[] {
  const ofPeer = when.filter(isOfPeer);
  const others = when.filter((one) => !isOfPeer(one));
  const callers = known.callers(orTrue(from), ofPeer);
  const operations = orTrue(to);
  const right: readonly (readonly Asked[])[] =
    callers.length * operations.length <= limit || callers.length === 1
      ? operations
      : [[someAlternative(operations)]];
  return callers.flatMap(({ demand, conditions }) =>
    right.map((operation) => ({
      order,
      demand,
      conditions: [...conditions, ...operation, ...others],
      copies: 1,
      placedBySeveral: false,
    })),
  );
}

/** Alternatives of `from` that say the same of traffic. */
interface Callers {
  readonly conditions: readonly CompiledCondition[];
  readonly demand: PeerDemand | undefined;
}

/** Demands that are the same are one object, so that a peer is asked once. */
class KnownDemands {
  readonly #numbers = new Map<CompiledCondition, number>();
  readonly #demands = new Map<string, PeerDemand>();

  callers(
    from: readonly (readonly CompiledCondition[])[],
    ofPeer: readonly CompiledCondition[],
  ): readonly Callers[] {
    const byConditions = new Map<string, [CompiledCondition[], CompiledCondition[][]]>();
    for (const source of from) {
      const conditions = source.filter((one) => !isOfPeer(one));
      const alternative = [...source.filter(isOfPeer), ...ofPeer];
      const key = this.#keyOf(conditions);
      const known = byConditions.get(key);
      if (known === undefined) byConditions.set(key, [conditions, [alternative]]);
      else known[1].push(alternative);
    }
    return [...byConditions.values()].map(([conditions, alternatives]) => ({
      conditions,
      demand: this.#demandOf(alternatives),
    }));
  }

  #demandOf(alternatives: readonly (readonly CompiledCondition[])[]): PeerDemand | undefined {
    if (alternatives.some(({ length }) => length === 0)) return undefined;
    const key = alternatives.map((conditions) => this.#keyOf(conditions)).join("|");
    const known = this.#demands.get(key);
    if (known !== undefined) return known;
    const demand = { alternatives };
    this.#demands.set(key, demand);
    return demand;
  }

  #keyOf(conditions: readonly CompiledCondition[]): string {
    return conditions.map((condition) => this.#numberOf(condition)).join();
  }

  #numberOf(condition: CompiledCondition): number {
    const known = this.#numbers.get(condition);
    if (known !== undefined) return known;
    this.#numbers.set(condition, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

function someAlternative(alternatives: readonly (readonly Asked[])[]): Asked {
  return {
    matches(traffic) {
      for (const conditions of alternatives) {
        if (conditions.every((condition) => condition.matches(traffic))) return true;
      }
      return false;
    },
  };
}

/** No alternative at all demands nothing (AP-30). */
function orTrue<T>(alternatives: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return alternatives.length === 0 ? [[]] : alternatives;
}
