/** What a mesh begins with: nothing is left of what ran in its data directory before, and it is known what is to run. */
import type { Resource } from "../api/resource.ts";
import { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { type MeshPlan, type PlanOptions, planMesh } from "./mesh-plan.ts";
import { readMeshState } from "./mesh-state.ts";
import { PodUids } from "./pod-identity.ts";
import { PortAllocator } from "./port-allocator.ts";
import { endLeftovers } from "./processes/leftover-processes.ts";

export interface MeshBeginning {
  readonly tokens: ServiceAccountTokens;
  readonly uids: PodUids;
  /** The same for every plan of the mesh. */
  readonly placement: Omit<PlanOptions, "turn">;
  readonly plan: MeshPlan;
}

export interface MeshBeginningOptions extends Pick<PlanOptions, "addresses" | "dataPlane"> {
  /** Whose lock is held. */
  readonly dataDirectory: DataDirectory;
  readonly report: (event: MeshEvent) => void;
}

/** @throws MeshPlanError and whatever else `planMesh` throws, UnreadableStateError, KeyDirectoryError */
export async function beginMesh(
  resources: readonly Resource[],
  { dataDirectory, report, addresses, dataPlane }: MeshBeginningOptions,
): Promise<MeshBeginning> {
  const before = await readMeshState(dataDirectory.meshState);
  const ended = await endLeftovers(before, dataDirectory.path);
  if (ended.length > 0)
    report({ type: "leftovers-ended", titles: ended.map(({ title }) => title) });
  const [ports, tokens] = await Promise.all([
    PortAllocator.open(dataDirectory.ports),
    ServiceAccountTokens.open(dataDirectory.path),
  ]);
  const uids = new PodUids();
  const placement = { ports, uid: (key: string): string => uids.of(key), addresses, dataPlane };
  return { tokens, uids, placement, plan: await planMesh(resources, placement) };
}
