/**
 * Revisions of a Deployment: a ReplicaSet for each template that it had, which `kubectl rollout history` and `undo` read.
 * Source: Kubernetes pkg/controller/deployment/util.
 */
import { createHash } from "node:crypto";
import { defaultsOf } from "../api-server/kinds/defaults/object-defaults.ts";
import { isJsonList, isJsonObject, objectAt, textAt } from "../api-server/kinds/json-access.ts";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../api-server/kinds/kubernetes-object.ts";
import { withoutFields } from "../api-server/objects/json-fields.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const TEMPLATE_HASH = "pod-template-hash";

/** 0 where it has none. */
export function revisionOf({ metadata }: KubernetesObject): number {
  const revision = Number(metadata.annotations?.[REVISION] ?? 0);
  return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
}

const HASHES: WeakMap<KubernetesObject, string> = new WeakMap();

/**
 * The same for the same template, whoever wrote it down: in whatever order, and with or without what a server completes.
 *
 * @param owner has a template in its `spec`
 */
export function templateHash(owner: KubernetesObject): string {
  const known = HASHES.get(owner);
  if (known !== undefined) return known;
  const completed = defaultsOf(owner.kind)(owner);
  const template = JSON.stringify(plain(objectAt(completed, "spec", "template")));
  const hash = createHash("sha256").update(template).digest("hex").slice(0, 10);
  HASHES.set(owner, hash);
  return hash;
}

/** As the Deployment had it. */
export function templateOfSet(set: KubernetesObject): JsonObject {
  const template = objectAt(set, "spec", "template");
  const metadata = objectAt(template, "metadata");
  const labels = withoutFields(objectAt(metadata, "labels"), TEMPLATE_HASH);
  return { ...template, metadata: { ...metadata, labels } };
}

/** Those that a Deployment controls. */
export function setsOf(
  deployment: KubernetesObject,
  sets: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  const { uid } = deployment.metadata;
  return sets.filter(({ metadata }) =>
    (metadata.ownerReferences ?? []).some((one) => textAt(one, "uid") === uid),
  );
}

/** Undefined where there is none. */
export function newestOf(sets: readonly KubernetesObject[]): KubernetesObject | undefined {
  const newest = Math.max(...sets.map(revisionOf));
  return sets.find((set) => revisionOf(set) === newest);
}

/** What is null, and `resources` that ask for none, are what clients written in Go add. */
function plain(value: JsonValue | undefined): JsonValue | undefined {
  if (isJsonList(value)) return value.map((item) => plain(item) ?? null);
  if (!isJsonObject(value)) return value;
  const fields = Object.entries(value)
    .filter(([name, inner]) => inner !== null && !(name === "resources" && isEmpty(inner)))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, plain(inner)]));
}

function isEmpty(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}
