/** What becomes of an object that somebody wants gone. Source: apiserver `registry/rest/delete.go`, `registry/generic/registry/store.go`. */
import { valueAt } from "../kinds/json-access.ts";
import type { KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { isSameJson } from "./json-fields.ts";
import type { ObjectChange, ObjectPlace } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { conflict, forbidden, notFound } from "./refusals.ts";
import { timestamp } from "./timestamp.ts";

/** What happens to the objects that an object owns. */
export type Propagation = "Background" | "Foreground" | "Orphan";

/** Finalizers by which the collector of dependents knows what to do. */
export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** As in a cluster: others rely on their being there. */
const PROTECTED_NAMESPACES = ["default", "kube-system", "kube-public"];
const DEFAULT_POD_GRACE_SECONDS = 30;

export interface Deletion extends ObjectPlace {
  /** Absent: as usual for the kind. */
  readonly propagation?: Propagation;
  /** Seconds that a pod has to end by itself; 0: it is gone at once. */
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * @returns a change that removes the object, or one that marks it as going where something is to happen first
 * @throws StatusError 403 for a namespace that must stay, 404, 409 when a precondition does not hold
 */
export function prepareDelete(store: ObjectStore, deletion: Deletion): ObjectChange {
  const { kind, namespace, name } = deletion;
  const live = store.get(deletion);
  if (live === undefined) throw notFound(kind, name);
  verifyPreconditions(deletion, live);
  const change = { kind, namespace, name, before: live };
  if (kind.group === "" && kind.plural === "namespaces")
    return { ...change, after: terminating(store, { kind, live }) };
  const grace = graceOf(deletion, live);
  const finalizers = finalizersOf(deletion, live);
  if (finalizers.length === 0 && grace === 0) return { ...change, after: undefined };
  const marked = markedAsGoing(store, { live, finalizers, grace });
  return { ...change, after: isSameJson(marked, live) ? live : marked };
}

function verifyPreconditions(
  { kind, name, preconditions = {} }: Deletion,
  { metadata }: KubernetesObject,
): void {
  const { uid, resourceVersion } = preconditions;
  const own = { ...kind, plural: kind.kind, group: "" };
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      own,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      own,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}

/** A namespace goes when what is in it has gone. */
function terminating(
  store: ObjectStore,
  { kind, live }: { readonly kind: ServedKind; readonly live: KubernetesObject },
): KubernetesObject {
  const { name = "", deletionTimestamp } = live.metadata;
  if (PROTECTED_NAMESPACES.includes(name))
    throw forbidden(kind, name, { problem: "this namespace may not be deleted" });
  if (deletionTimestamp !== undefined) return live;
  const metadata = { ...live.metadata, deletionTimestamp: timestamp(store.clock) };
  return { ...live, metadata, status: { phase: "Terminating" } };
}

/** Only a pod that runs takes time to end. */
function graceOf({ kind, gracePeriodSeconds }: Deletion, live: KubernetesObject): number {
  if (kind.group !== "" || kind.plural !== "pods") return 0;
  const phase = valueAt(live, ["status", "phase"]);
  const isScheduled = (valueAt(live, ["spec", "nodeName"]) ?? "") !== "";
  if (!isScheduled || phase === "Succeeded" || phase === "Failed") return 0;
  const own = valueAt(live, ["spec", "terminationGracePeriodSeconds"]);
  const usual = typeof own === "number" ? own : DEFAULT_POD_GRACE_SECONDS;
  const wanted = Math.max(0, gracePeriodSeconds ?? usual);
  const { deletionTimestamp, deletionGracePeriodSeconds = wanted } = live.metadata;
  return deletionTimestamp === undefined ? wanted : Math.min(wanted, deletionGracePeriodSeconds);
}

function finalizersOf({ kind, propagation }: Deletion, live: KubernetesObject): readonly string[] {
  const { finalizers = [], deletionTimestamp } = live.metadata;
  if (propagation === undefined && deletionTimestamp !== undefined) return finalizers;
  const others = finalizers.filter((one) => one !== FOREGROUND && one !== ORPHAN);
  const policy = propagation ?? usualPropagation(kind, finalizers);
  if (policy === "Background") return others;
  return [...others, policy === "Orphan" ? ORPHAN : FOREGROUND];
}

/** Jobs keep their pods, for the sake of clients of old. */
function usualPropagation(
  { group, plural }: ServedKind,
  finalizers: readonly string[],
): Propagation {
  if (finalizers.includes(ORPHAN)) return "Orphan";
  if (finalizers.includes(FOREGROUND)) return "Foreground";
  return group === "batch" && plural === "jobs" ? "Orphan" : "Background";
}

function markedAsGoing(
  store: ObjectStore,
  {
    live,
    finalizers,
    grace,
  }: {
    readonly live: KubernetesObject;
    readonly finalizers: readonly string[];
    readonly grace: number;
  },
): KubernetesObject {
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = live.metadata;
  const isGoing = deletionTimestamp !== undefined && deletionGracePeriodSeconds === grace;
  const metadata: ObjectMeta = {
    ...live.metadata,
    ...(generation === undefined || deletionTimestamp !== undefined
      ? {}
      : { generation: generation + 1 }),
    deletionTimestamp: isGoing ? deletionTimestamp : timestamp(store.clock, grace),
    deletionGracePeriodSeconds: grace,
    ...(finalizers.length > 0 || live.metadata.finalizers !== undefined ? { finalizers } : {}),
  };
  return { ...live, metadata };
}
