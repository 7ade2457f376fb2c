/** What is described, of what, and for whom: shared by all parts of `x describe`. */
import type { EnvoyConfig } from "../../../envoy/envoy-json.ts";
import { type ClusterObjects, namespaceOf, type ObjectMeta } from "./cluster-objects.ts";

export interface DescribedCluster {
  readonly objects: ClusterObjects;
  /** What the proxy of a pod has. */
  readonly configOf: (pod: {
    readonly namespace: string;
    readonly name: string;
  }) => Promise<EnvoyConfig>;
  /** Names of objects in it are told without it. */
  readonly namespace: string;
}

/** `name`, or `name.namespace` of another namespace. */
export function shortName(
  metadata: ObjectMeta,
  { namespace }: Pick<DescribedCluster, "namespace">,
): string {
  const own = namespaceOf(metadata);
  return own === namespace ? metadata.name : `${metadata.name}.${own}`;
}

export const RULER = "--------------------";

/** Lines that stand further to the right. */
export function indented(lines: readonly string[], by: number): readonly string[] {
  return lines.map((line) => `${" ".repeat(by)}${line}`);
}
