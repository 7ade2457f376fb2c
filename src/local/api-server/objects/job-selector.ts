/** A Job finds its pods by a label that is its own. Source: Kubernetes' `pkg/registry/batch/job/strategy.go`. */
import { isJsonObject, valueAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";

const BY_UID = "batch.kubernetes.io/controller-uid";
const BY_NAME = "batch.kubernetes.io/job-name";

/** @param object has its name and uid */
export function withJobSelector(
  { group, plural }: ServedKind,
  object: KubernetesObject,
): KubernetesObject {
  const spec = object["spec"];
  if (group !== "batch" || plural !== "jobs" || !isJsonObject(spec)) return object;
  const template = spec["template"];
  if (spec["manualSelector"] === true || !isJsonObject(template)) return object;
  const { uid = "", name = "" } = object.metadata;
  const metadata = valueAt(template, ["metadata"]);
  const labels = valueAt(metadata, ["labels"]);
  const owned = { [BY_UID]: uid, [BY_NAME]: name, "controller-uid": uid, "job-name": name };
  return {
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...owned } },
    spec: {
      ...spec,
      selector: { matchLabels: { [BY_UID]: uid } },
      template: {
        ...template,
        metadata: {
          ...(isJsonObject(metadata) ? metadata : {}),
          labels: { ...(isJsonObject(labels) ? labels : {}), ...owned },
        },
      },
    },
  };
}
