/**
 * Where pods have networks of their own, a mesh is a network to itself: no pod of it reaches one of another mesh, and no
 * control plane does. A RemoteCluster is refused there, so that nothing looks connected that is not.
 */
import { formatRef, type Issue, type Resource } from "../api/resource.ts";
import { ofKind } from "./mesh-snapshot.ts";

/** One for each RemoteCluster. Of a mesh on loopback it is not asked. */
export function unreachableRemoteClusters(resources: readonly Resource[]): readonly Issue[] {
  return ofKind(resources, "RemoteCluster").map(({ kind, meta }) => {
    const problem = `${formatRef({ kind, ...meta })} cannot be reached: pods with networks of their own reach no other mesh yet; run both meshes with --network loopback`;
    return { source: meta.source, path: "", problem };
  });
}
