/** What becomes of an object that somebody rewrites. Source: apiserver `registry/rest/update.go` and the strategies of kinds. */
import type { JsonObject, KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import { trackUpdate } from "../patches/managed-fields.ts";
import type { Attribution } from "./attribution.ts";
import { countsGenerations, keepsGeneration } from "./generation.ts";
import { immutableFieldProblems } from "./immutable-fields.ts";
import { isSameJson, withoutFields } from "./json-fields.ts";
import { immutableProblems, metadataProblems } from "./metadata-problems.ts";
import type { ObjectChange, ObjectPlace } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { conflict, invalid, notFound } from "./refusals.ts";
import { withLiveStatus, withWrittenStatus } from "./status-part.ts";
import { timestamp } from "./timestamp.ts";

/** What servers write, and no update alters. */
const KEPT_METADATA = [
  "uid",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "resourceVersion",
] as const;

export interface Rewriting extends ObjectPlace {
  /** The object as it is to be, from the one that is stored. @throws StatusError */
  readonly rewrite: (live: KubernetesObject) => KubernetesObject;
  /** Absent: `managedFields` are taken as `rewrite` leaves them. */
  readonly by?: Attribution;
  readonly part?: "status" | "scale";
}

/**
 * @returns a change that removes the object, where it only waited for its last finalizer to go
 * @throws StatusError 404, 409 when `rewrite` starts from an earlier version or another object, 422, and from `rewrite`
 */
export function prepareUpdate(store: ObjectStore, rewriting: Rewriting): ObjectChange {
  const { kind, namespace, name, by, part } = rewriting;
  const live = store.get(rewriting);
  if (live === undefined) throw notFound(kind, name);
  const written = rewriting.rewrite(live);
  refuseOther(rewriting, { live, written });
  const divided =
    part === "status"
      ? withWrittenStatus(kind, { written, live })
      : withLiveStatus(kind, { written, live });
  const settled = withKeptMetadata(rewriting, { live, written: divided });
  const problems = [
    ...immutableProblems(live.metadata, divided.metadata),
    ...metadataProblems(kind, settled),
    ...immutableFieldProblems(kind, { before: live, after: settled }),
  ];
  if (problems.length > 0) throw invalid(kind, name, problems);
  const owned =
    by === undefined
      ? settled
      : trackUpdate(kind, live, settled, { ...by, time: timestamp(store.clock) });
  const tracked = kind.carriedOver?.(live, owned) ?? owned;
  const change = {
    kind,
    namespace,
    name,
    before: live,
    ...(part === undefined ? {} : { subresource: part }),
  };
  if (isSameObject(live, tracked)) return { ...change, after: live };
  if (isReleased(tracked)) return { ...change, after: undefined, last: tracked };
  return { ...change, after: tracked };
}

/** The last finalizer of an object that is being deleted has gone. */
export function isReleased({ metadata }: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = metadata;
  return (
    deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0
  );
}

function refuseOther(
  { kind, name }: ObjectPlace,
  { live, written }: { readonly live: KubernetesObject; readonly written: KubernetesObject },
): void {
  const { resourceVersion = "", uid = "" } = written.metadata;
  if (uid !== "" && uid !== live.metadata.uid)
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
    );
  if (resourceVersion !== "" && resourceVersion !== live.metadata.resourceVersion)
    throw conflict(kind, name);
}

function withKeptMetadata(
  { kind, namespace, name, part }: Rewriting,
  { live, written }: { readonly live: KubernetesObject; readonly written: KubernetesObject },
): KubernetesObject {
  const kept: { [field: string]: ObjectMeta[string] } = {};
  for (const field of KEPT_METADATA) {
    const value = live.metadata[field];
    if (value !== undefined) kept[field] = value;
  }
  const { generation } = live.metadata;
  const isKept = part === "status" || keepsGeneration(kind, { before: live, after: written });
  if (countsGenerations(kind) && generation !== undefined && !isKept)
    kept["generation"] = generation + 1;
  const metadata: ObjectMeta = {
    ...withoutFields(written.metadata, ...KEPT_METADATA, "selfLink", "namespace"),
    name,
    ...(kind.namespaced ? { namespace } : {}),
    ...kept,
  };
  return { ...written, apiVersion: live.apiVersion, kind: live.kind, metadata };
}

/** Times of owners alone make no change. */
function isSameObject(one: KubernetesObject, other: KubernetesObject): boolean {
  return isSameJson(withoutTimes(one), withoutTimes(other));
}

function withoutTimes({ metadata, ...rest }: KubernetesObject): JsonObject {
  const { managedFields = [], ...others } = metadata;
  return {
    ...rest,
    metadata: { ...others, managedFields: managedFields.map((one) => withoutFields(one, "time")) },
  };
}
