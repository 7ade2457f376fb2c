/** Status is what servers say: who writes an object leaves it, who writes a status leaves the rest. */
import type { JsonObject, KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { withoutFields } from "./json-fields.ts";

/** What Kubernetes' own kinds begin with; others begin with nothing said. */
const FIRST_STATUS: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  ["/namespaces", { phase: "Active" }],
  ["/pods", { phase: "Pending", qosClass: "BestEffort" }],
  ["/services", { loadBalancer: {} }],
  ["apps/deployments", {}],
  ["apps/replicasets", { replicas: 0 }],
  ["apps/statefulsets", { replicas: 0, availableReplicas: 0 }],
  ["batch/jobs", {}],
]);

export function hasStatusPart({ subresources }: ServedKind): boolean {
  return subresources.includes("status");
}

/** A new object, whatever its maker says of its status. */
export function initialStatus(kind: ServedKind, object: KubernetesObject): KubernetesObject {
  const status = FIRST_STATUS.get(`${kind.group}/${kind.plural}`);
  if (!hasStatusPart(kind)) return object;
  const { apiVersion, kind: name, metadata } = object;
  const begun = { ...withoutFields(object, "status"), apiVersion, kind: name, metadata };
  if (kind.group === "" && kind.plural === "namespaces")
    return { ...begun, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
  return status === undefined ? begun : { ...begun, status };
}

/** The written object with the status that the live one has. */
export function withLiveStatus(
  kind: ServedKind,
  { written, live }: { readonly written: KubernetesObject; readonly live: KubernetesObject },
): KubernetesObject {
  if (!hasStatusPart(kind)) return written;
  const { apiVersion, kind: name, metadata } = written;
  const rest = { ...withoutFields(written, "status"), apiVersion, kind: name, metadata };
  return live["status"] === undefined ? rest : { ...rest, status: live["status"] };
}

/** A Deployment's labels are not written by its status. */
function withLiveLabels(
  { group, plural }: ServedKind,
  { written, live }: { readonly written: KubernetesObject; readonly live: KubernetesObject },
): ObjectMeta {
  if (group !== "apps" || plural !== "deployments") return written.metadata;
  const { labels } = live.metadata;
  const others = withoutFields(written.metadata, "labels");
  return labels === undefined ? others : { ...others, labels };
}

/** The live object with the status that is written; metadata too is taken for Kubernetes' own kinds. */
export function withWrittenStatus(
  kind: ServedKind,
  { written, live }: { readonly written: KubernetesObject; readonly live: KubernetesObject },
): KubernetesObject {
  const { managedFields } = written.metadata;
  const own = managedFields === undefined ? live.metadata : { ...live.metadata, managedFields };
  const metadata = kind.origin === "custom" ? own : withLiveLabels(kind, { written, live });
  const { apiVersion, kind: name } = live;
  const rest = { ...withoutFields(live, "status"), apiVersion, kind: name, metadata };
  return written["status"] === undefined ? rest : { ...rest, status: written["status"] };
}
