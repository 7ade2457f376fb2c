/** `hauberk x describe`: what istioctl says of a pod or a service of the running mesh; of a pod, then what it demands of callers. */
import type { EnvoyConfig } from "../../envoy/envoy-json.ts";
import {
  type ClusterObjects,
  namespaceOf,
  type PodObject,
} from "../istioctl/describe/cluster-objects.ts";
import {
  describePod,
  describeService,
  type Named,
  NotInClusterError,
} from "../istioctl/describe/describe-cluster.ts";
import type { DescribedCluster } from "../istioctl/describe/description.ts";
import { meshObjects } from "../istioctl/kubernetes-objects.ts";
import type { Printers } from "../print-line.ts";
import { describeCommand } from "./describe.ts";
import { podNamed, proxyDump, type SidecarOptions } from "./proxy-config.ts";

/**
 * @param kind of what is named
 * @param text as istioctl takes it
 * @returns the exit code: 0; 1: there is no such object
 * @throws NoKubernetesApiError, NoMeshError, NoSidecarAnswerError
 */
export async function describeClusterCommand(
  kind: "pod" | "service",
  text: string,
  { data, namespace: own }: SidecarOptions,
  { print, warn }: Printers,
): Promise<number> {
  const objects = await meshObjects(data);
  const asked = podNamed(text, own);
  const named = kind === "pod" ? ownName(asked, objects) : asked;
  const cluster: DescribedCluster = {
    objects,
    configOf: (pod) => configOf(pod, data),
    namespace: own,
  };
  try {
    const lines = await (kind === "pod" ? describePod : describeService)(named, cluster);
    for (const line of lines) print(line);
  } catch (error) {
    if (!(error instanceof NotInClusterError)) throw error;
    warn(`Error: ${error.message}`);
    return 1;
  }
  if (kind === "service") return 0;
  print("");
  return describeCommand(`${named.namespace}/${named.name}`, { data }, { print, warn });
}

/** What a pod was made from may be named instead: then its first pod is meant. */
function ownName({ namespace, name }: Named, { pods }: ClusterObjects): Named {
  const own = pods.filter(({ metadata }) => namespaceOf(metadata) === namespace);
  const isNamed = ({ metadata }: PodObject): boolean => metadata.name === name;
  const isOf = ({ metadata }: PodObject): boolean =>
    metadata.name.startsWith(`${name}-`) && !metadata.name.slice(name.length + 1).includes("--");
  const found = own.find(isNamed) ?? own.find(isOf);
  return { namespace, name: found?.metadata.name ?? name };
}

async function configOf({ namespace, name }: Named, data: string): Promise<EnvoyConfig> {
  const { withPolicies } = await proxyDump(`${namespace}/${name}`, { data, namespace });
  return withPolicies;
}
