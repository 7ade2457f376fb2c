/** Rate limits that count less, or more together, than their author may have meant. */
import { selects } from "../api/label-selector.ts";
import type { Limit, RateLimit } from "../api/rate-limit.ts";
import type { RequestAuthentication } from "../api/request-authentication.ts";
import type { Notice, Resource } from "../api/resource.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { ofKind } from "./mesh-snapshot.ts";

type Selecting = Pick<RateLimit, "meta" | "selector">;

export function rateLimitNotices(
  resources: readonly Resource[],
  inventory: MeshInventory,
): readonly Notice[] {
  const users = ofKind(resources, "RequestAuthentication");
  return ofKind(resources, "RateLimit").flatMap((resource) => {
    const pods = inventory.pods.filter((pod) => isFor(resource, pod, inventory));
    return [
      ...withoutSidecar(resource, pods),
      ...resource.limits.flatMap((limit) =>
        withoutTokens({ resource, limit, pods, users, inventory }),
      ),
    ];
  });
}

function withoutSidecar({ meta }: RateLimit, pods: readonly InventoryPod[]): readonly Notice[] {
  if (pods.length === 0 || pods.some(({ sidecar }) => sidecar !== "none")) return [];
  const message = "none of its workloads has a sidecar, so nothing is limited";
  return [{ source: meta.source, path: "spec.selector", message }];
}

interface Counting {
  readonly resource: RateLimit;
  readonly limit: Limit;
  readonly pods: readonly InventoryPod[];
  readonly users: readonly RequestAuthentication[];
  readonly inventory: MeshInventory;
}

function withoutTokens({ resource, limit, pods, users, inventory }: Counting): readonly Notice[] {
  const part = limit.key.find((one) => one.startsWith("request.auth."));
  if (part === undefined) return [];
  const knowsNobody = (pod: InventoryPod): boolean =>
    !users.some((one) => one.targetRefs.length === 0 && isFor(one, pod, inventory));
  if (!pods.some(knowsNobody)) return [];
  const { file } = resource.meta.source;
  const message = `no RequestAuthentication applies to some of its workloads, so that their requests have no ${part}, and all share one bucket`;
  return [{ source: { file, line: limit.line }, path: "spec.limits.key", message }];
}

function isFor(
  { meta, selector }: Selecting,
  pod: InventoryPod,
  { settings: { rootNamespace } }: MeshInventory,
): boolean {
  const inScope = meta.namespace === rootNamespace || meta.namespace === pod.namespace;
  return inScope && selects(selector, pod.labels);
}
