/** Resources, what runs, and trust, whenever one of them changes, become the views of all sidecars. */
import type { Resource } from "../api/resource.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { buildWorkloadViews } from "../policy/build-workload-view.ts";
import { buildSnapshot, type MeshSnapshot } from "../policy/mesh-snapshot.ts";
import type { GatewaySelectors } from "../policy/policy-selection.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { RunningNow } from "./control-plane-messages.ts";

export interface SnapshotInputs {
  readonly resources: Watched<readonly Resource[]>;
  readonly running: Watched<RunningNow>;
  readonly trust: Watched<AuthorityTrust>;
  readonly gatewaySelectors?: GatewaySelectors | undefined;
}

/** @returns the views by `namespace/pod`, rebuilt once for all changes made in one turn of the event loop */
export function feedWorkloadViews(
  inputs: SnapshotInputs,
): Watched<ReadonlyMap<string, WorkloadView>> {
  const build = (): ReadonlyMap<string, WorkloadView> =>
    buildWorkloadViews(
      buildSnapshot({
        resources: [...inputs.resources.current, ...inputs.running.current.resources],
        workloads: inputs.running.current.workloads,
        rootsPem: inputs.trust.current.rootsPem,
        authorities: authoritiesOf(inputs.trust.current),
        serviceAddresses: inputs.running.current.serviceAddresses,
        gatewaySelectors: inputs.gatewaySelectors,
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
  for (const input of [inputs.resources, inputs.running, inputs.trust]) {
    input.onChange(schedule);
  }
  return views;
}

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
