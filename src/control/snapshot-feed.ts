/** Resources, workloads and roots, whenever one of them changes, become the views of all sidecars. */
import type { Resource } from "../api/resource.ts";
import { buildWorkloadViews } from "../policy/build-workload-view.ts";
import { buildSnapshot } from "../policy/mesh-snapshot.ts";
import type { Workload } from "../policy/workload.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export interface SnapshotInputs {
  readonly resources: Watched<readonly Resource[]>;
  readonly workloads: Watched<readonly Workload[]>;
  readonly rootsPem: Watched<readonly string[]>;
}

/** @returns the views by `namespace/pod`, rebuilt once for all changes made in one turn of the event loop */
export function feedWorkloadViews(
  inputs: SnapshotInputs,
): Watched<ReadonlyMap<string, WorkloadView>> {
  const build = (): ReadonlyMap<string, WorkloadView> =>
    buildWorkloadViews(
      buildSnapshot({
        resources: inputs.resources.current,
        workloads: inputs.workloads.current,
        rootsPem: inputs.rootsPem.current,
      }),
    );
  const views = new WatchedValue(build());
  let scheduled = false;
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      views.set(build());
    });
  };
  for (const input of [inputs.resources, inputs.workloads, inputs.rootsPem]) {
    input.onChange(schedule);
  }
  return views;
}
