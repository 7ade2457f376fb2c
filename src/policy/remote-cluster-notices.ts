/** What is probably wrong with a RemoteCluster beside the rest of the files. */
import { quoted } from "../api/quoted.ts";
import { formatServer, type RemoteCluster } from "../api/remote-cluster.ts";
import { formatLocation, type Notice, type Resource } from "../api/resource.ts";
import { shortList } from "../api/short-list.ts";
import type { MeshInventory } from "./mesh-inventory.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";

/** CA-55 */
export function remoteClusterNotices(resources: readonly Resource[]): readonly Notice[] {
  const clusters = ofKind(resources, "RemoteCluster");
  if (clusters.length === 0) return [];
  const { trustDomain, trustDomainAliases } = meshSettingsOf(resources);
  const ours = [trustDomain, ...trustDomainAliases];
  return [
    ...clusters.flatMap((cluster) => foreignDomainNotice(cluster, ours)),
    ...sharedServerNotices(clusters),
  ];
}

/** What follows "nobody": who is in other clusters is not known from files. */
export function unlessElsewhere({ remoteClusters }: Pick<MeshInventory, "remoteClusters">): string {
  if (remoteClusters.length === 0) return "";
  const clusters = remoteClusters.length === 1 ? "remote cluster" : "one of the remote clusters";
  return `, unless ${clusters} ${shortList(remoteClusters)} has it`;
}

function foreignDomainNotice(
  { meta, trustDomain }: RemoteCluster,
  ours: readonly string[],
): Notice[] {
  if (trustDomain === undefined || ours.includes(trustDomain)) return [];
  const message = `is ${quoted(trustDomain)}, which is no trust domain of this mesh (${ours.join(", ")}), so nothing of that cluster is taken; add it to trustDomainAliases of the mesh configuration`;
  return [{ source: meta.source, path: "spec.trustDomain", message }];
}

function sharedServerNotices(clusters: readonly RemoteCluster[]): Notice[] {
  const first = new Map<string, RemoteCluster>();
  return clusters.flatMap((cluster) => {
    const server = formatServer(cluster.server);
    const earlier = first.get(server);
    if (earlier === undefined) {
      first.set(server, cluster);
      return [];
    }
    const where = formatLocation(earlier.meta.source);
    const message = `is ${server}, as that of RemoteCluster ${earlier.meta.name} (${where}): one of them names another cluster than answers there`;
    return [{ source: cluster.meta.source, path: "spec.server", message }];
  });
}
