/**
 * Pods of Deployments have two names, and take turns with them: the one that is to replace another runs beside it until
 * it is ready, and needs addresses, folders and ports of its own meanwhile.
 */
import type { PodTurn } from "../policy/plan-workloads.ts";
import { SECOND_TURN } from "../policy/pod-names.ts";
import type { Workload } from "../policy/workload.ts";

/** `namespace/name` of a pod's first turn, whichever it is in: its place in its Deployment. */
export function placeOf({
  namespace,
  name,
  ownerKind,
}: Pick<Workload, "namespace" | "name" | "ownerKind">): string {
  const isSecond = ownerKind === "Deployment" && name.endsWith(SECOND_TURN);
  return `${namespace}/${isSecond ? name.slice(0, -SECOND_TURN.length) : name}`;
}

export class PodTurns {
  readonly #second: Set<string>;

  constructor(second: Iterable<string> = []) {
    this.#second = new Set(second);
  }

  of(place: string): PodTurn {
    return this.#second.has(place) ? "second" : "first";
  }

  /** The same, without what is known of any other place. */
  among(places: ReadonlySet<string>): PodTurns {
    return new PodTurns([...this.#second].filter((place) => places.has(place)));
  }

  /** The same but for these places, whose pods are to be replaced. */
  flipped(places: readonly string[]): PodTurns {
    const next = new PodTurns(this.#second);
    for (const place of places) if (!next.#second.delete(place)) next.#second.add(place);
    return next;
  }
}
