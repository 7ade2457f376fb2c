/**
 * `hauberk remote-cluster`: prints the resource by which another mesh finds this one, as `istioctl create-remote-secret`
 * does; but there is no secret in it. Exit 0: printed; 1: no mesh runs there, or none that others can reach.
 */
import { isIPv4 } from "node:net";
import type { RemoteClustersOverview } from "../../control/remote-cluster-state.ts";
import { askControlPlane } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { Print } from "../print-line.ts";

/** The mesh cannot be another's remote cluster. */
export class NoRemoteClusterError extends HauberkError {
  readonly code = "HAUBERK_NO_REMOTE_CLUSTER";
}

/** @throws NoMeshError, ControlPlaneAwayError, NoRemoteClusterError */
export async function remoteClusterCommand(
  { data }: { readonly data: string },
  print: Print,
): Promise<number> {
  const reply = await askControlPlane(new DataDirectory(data), { type: "remote-clusters" });
  if (reply.type !== "remote-clusters")
    throw new NoRemoteClusterError(reply.type === "refused" ? reply.problem : reply.type);
  for (const line of remoteClusterDocument(reply.overview)) print(line);
  return 0;
}

/**
 * Lines of YAML.
 *
 * @throws NoRemoteClusterError for a control plane that only its own mesh reaches
 */
export function remoteClusterDocument({
  cluster,
  trustDomain,
  listen,
}: Pick<RemoteClustersOverview, "cluster" | "trustDomain" | "listen">): readonly string[] {
  if (!isLoopback(listen))
    throw new NoRemoteClusterError(
      `no other mesh reaches the control plane at ${listen}: the mesh has a network of its own; run it with --network loopback`,
    );
  // Quoted: a name such as "1" or "true" would be read as something else.
  return [
    "apiVersion: hauberk.dev/v1",
    "kind: RemoteCluster",
    "metadata:",
    `  name: ${JSON.stringify(cluster)}`,
    "spec:",
    `  server: ${JSON.stringify(listen)}`,
    `  trustDomain: ${JSON.stringify(trustDomain)}`,
  ];
}

function isLoopback(listen: string): boolean {
  const address = listen.slice(0, listen.lastIndexOf(":"));
  return isIPv4(address) && address.startsWith("127.");
}
