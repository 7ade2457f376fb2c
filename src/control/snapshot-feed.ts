/** Resources, what runs, trust, and other clusters, whenever one of them changes, become the views of all sidecars. */
import type { Resource } from "../api/resource.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { type ItemKeeping, keepEqual, keepEqualByKey } from "../policy/keep-equal.ts";
import { buildSnapshot, type MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { MeshViews } from "../policy/mesh-views.ts";
import type { GatewayScope } from "../policy/offered-servers.ts";
import type { GatewaySelectors } from "../policy/policy-selection.ts";
import type { RemoteClusterServices } from "../policy/remote-cluster-services.ts";
import type { Workload } from "../policy/workload.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { ChangePace } from "./change-pace.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import type { KnownKeySets } from "./key-sets/key-sets.ts";

export interface SnapshotInputs {
  readonly resources: Watched<readonly Resource[]>;
  readonly running: Watched<RunningNow>;
  readonly trust: Watched<AuthorityTrust>;
  /** What is admitted of others. */
  readonly remoteClusters: Watched<readonly RemoteClusterServices[]>;
  readonly tokenKeys: Watched<KnownKeySets>;
  readonly gatewaySelectors?: GatewaySelectors | undefined;
  readonly gatewayScope?: GatewayScope | undefined;
}

/** Built anew at once after a change, and for those that follow on its heels together. */
export interface SnapshotFeed {
  readonly snapshots: Watched<MeshSnapshot>;
  /** By `namespace/pod`. */
  readonly views: Watched<ReadonlyMap<string, WorkloadView>>;
}

export function feedWorkloadViews(inputs: SnapshotInputs): SnapshotFeed {
  let workloads: readonly Workload[] = [];
  const build = (): MeshSnapshot => {
    workloads = keepEqualByKey(workloads, inputs.running.current.workloads, WORKLOADS);
    return buildSnapshot({
      resources: [...inputs.resources.current, ...inputs.running.current.resources],
      workloads,
      rootsPem: inputs.trust.current.rootsPem,
      authorities: authoritiesOf(inputs.trust.current),
      serviceAddresses: inputs.running.current.serviceAddresses,
      gatewaySelectors: inputs.gatewaySelectors,
      gatewayScope: inputs.gatewayScope,
      remoteClusters: inputs.remoteClusters.current,
      tokenKeys: inputs.tokenKeys.current,
    });
  };
  const meshViews = new MeshViews();
  const snapshots = new WatchedValue(build());
  const views = new WatchedValue(meshViews.build(snapshots.current));
  const pace = new ChangePace(() => {
    const snapshot = build();
    views.set(meshViews.build(snapshot));
    snapshots.set(snapshot);
  });
  const { resources, running, trust, remoteClusters, tokenKeys } = inputs;
  for (const input of [resources, running, trust, remoteClusters, tokenKeys])
    input.onChange(() => pace.changed());
  return { snapshots, views };
}

/** Each message of what runs has all of it anew. */
const WORKLOADS: ItemKeeping<Workload> = {
  keyOf: ({ namespace, name }) => `${namespace}/${name}`,
  keep: keepEqual,
};

/** Absent where there are none. */
function authoritiesOf({
  taintedAuthorities,
  crlsPem,
}: AuthorityTrust): MeshSnapshot["authorities"] {
  return {
    ...(taintedAuthorities.length > 0 && { taintedAuthorities }),
    ...(crlsPem.length > 0 && { crlsPem }),
  };
}
