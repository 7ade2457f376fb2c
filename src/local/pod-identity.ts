/** When a pod is the same pod still, and what its number is. */
import { randomUUID } from "node:crypto";
import type { Workload } from "../policy/workload.ts";
import { folderOf } from "./folder-of.ts";
import type { PlannedPod } from "./mesh-plan.ts";

/** `namespace/name` */
export const keyOf = ({ namespace, name }: Pick<Workload, "namespace" | "name">): string =>
  `${namespace}/${name}`;

/** The uids of pods, by `namespace/name`: each has one until it is made anew, or is gone. */
export class PodUids {
  readonly #uids: Map<string, string> = new Map();

  of(key: string): string {
    return this.#uids.get(key) ?? this.renew(key);
  }

  renew(key: string): string {
    const uid = randomUUID();
    this.#uids.set(key, uid);
    return uid;
  }

  forget(key: string): void {
    this.#uids.delete(key);
  }
}

/** The same text for pods that need not be told apart. Where its listeners for services are does not count. */
export function podFingerprint({
  workload,
  template,
  source,
  sidecar,
  dataPlane,
}: PlannedPod): string {
  const { outboundListeners: _, ready: __, ...rest } = workload;
  return JSON.stringify(
    [rest, template, folderOf(source), sidecar, dataPlane],
    (key, value: unknown) => (key === "source" ? undefined : value),
  );
}
