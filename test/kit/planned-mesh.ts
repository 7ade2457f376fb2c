/** A mesh as its YAML plans it, and nothing of it running. */
import { parseResources } from "../../src/api/parse-resources.ts";
import type { Resource } from "../../src/api/resource.ts";
import { deployedGateways } from "../../src/policy/deployed-gateways.ts";
import { buildSnapshot, type MeshSnapshot } from "../../src/policy/mesh-snapshot.ts";
import { planWorkloads } from "../../src/policy/plan-workloads.ts";
import type { Workload } from "../../src/policy/workload.ts";

export interface PlannedMesh {
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
  readonly snapshot: MeshSnapshot;
  /** By `namespace/owner`. */
  workload(name: string): Workload;
}

/** @throws Error listing the issues of the text, if it has any */
export function plannedMesh(yaml: string): PlannedMesh {
  const { resources: written, issues } = parseResources(yaml, "mesh.yaml");
  if (issues.length > 0)
    throw new Error(issues.map(({ path, problem }) => `${path} ${problem}`).join("; "));
  const resources = [...written, ...deployedGateways(written)];
  const workloads = planWorkloads(resources, {
    place: (key) => ({ address: "127.0.0.1", port: Number(/\d+$/.exec(key)?.[0] ?? 1) }),
    uid: (key) => key,
  });
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [] });
  return {
    resources,
    workloads,
    snapshot,
    workload(name) {
      const found = workloads.find((one) => `${one.namespace}/${one.owner}` === name);
      if (found === undefined) throw new Error(`no workload ${name}`);
      return found;
    },
  };
}
