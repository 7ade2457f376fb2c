/**
 * The templates that pods of StatefulSets were made from: one that waits for its turn, or is held back, is not as its
 * StatefulSet says by now, and no other object remembers how it was.
 */
import { objectAt, textAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";

interface MadeFrom {
  /** Uid of the StatefulSet. */
  readonly set: string;
  readonly template: JsonObject;
}

export class FormerTemplates {
  /** By `namespace/pod`. */
  readonly #known: Map<string, MadeFrom> = new Map();

  /** @param asked.isBehind whether the pod is not as its StatefulSet says now */
  of({
    pod,
    set,
    isBehind,
  }: {
    readonly pod: string;
    readonly set: KubernetesObject;
    readonly isBehind: boolean;
  }): JsonObject {
    const uid = textAt(set, "metadata", "uid");
    const known = this.#known.get(pod);
    if (isBehind && known?.set === uid) return known.template;
    const template = objectAt(set, "spec", "template");
    this.#known.set(pod, { set: uid, template });
    return template;
  }

  forgetOthers(sets: readonly KubernetesObject[]): void {
    const uids = new Set(sets.map((set) => textAt(set, "metadata", "uid")));
    for (const [pod, { set }] of this.#known) if (!uids.has(set)) this.#known.delete(pod);
  }
}
