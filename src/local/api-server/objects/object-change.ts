/** A change of one object: prepared, judged by a gate where it comes from outside, then committed. */
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";

/** Where an object is kept. */
export interface ObjectPlace {
  readonly kind: ServedKind;
  /** "" for kinds that live in none. */
  readonly namespace: string;
  readonly name: string;
}

/** `before` absent: made anew. `after` absent: gone. */
export interface ObjectChange extends ObjectPlace {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
  /** As it was when it went, where its last change made it go; absent: as `before`. */
  readonly last?: KubernetesObject;
  readonly subresource?: "status" | "scale";
}

export interface CommittedChange extends ObjectChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** What watchers are told: as it is now, or as it was when it went, at the version of that change. */
  readonly object: KubernetesObject;
  readonly resourceVersion: number;
}

/** What the gate has to say of a change that it lets through. */
export interface Admission {
  readonly warnings: readonly string[];
}

/** Asked before each change from outside. @throws StatusError to refuse it */
export type Admit = (change: ObjectChange) => Promise<Admission>;
