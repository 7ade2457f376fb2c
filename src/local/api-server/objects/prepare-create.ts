/** What becomes of an object that somebody wants made. Source: apiserver `registry/rest/create.go` and the strategies of kinds. */
import { randomInt } from "node:crypto";
import type { KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { trackUpdate } from "../patches/managed-fields.ts";
import type { Attribution } from "./attribution.ts";
import { countsGenerations } from "./generation.ts";
import { withJobSelector } from "./job-selector.ts";
import { withoutFields } from "./json-fields.ts";
import { metadataProblems, requiredValue } from "./metadata-problems.ts";
import { namespaceFor } from "./namespace-of.ts";
import type { ObjectChange } from "./object-change.ts";
import { generatedName } from "./object-names.ts";
import type { ObjectStore } from "./object-store.ts";
import { alreadyExists, badRequest, invalid } from "./refusals.ts";
import { initialStatus } from "./status-part.ts";
import { timestamp } from "./timestamp.ts";

/** Without vowels and what looks like them, as Kubernetes makes them. */
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_CHARACTERS = 5;
/** How often another name is tried where one is taken. */
const NAME_ATTEMPTS = 8;
/** What servers write. */
const SERVERS_METADATA = [
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
];

export interface Creation {
  readonly kind: ServedKind;
  /** "" for kinds that live in none. */
  readonly namespace: string;
  /** With its defaults. */
  readonly object: KubernetesObject;
  /** Absent: `managedFields` are taken as they are. */
  readonly by?: Attribution;
  /** "kept": for who writes an object and its status at once. */
  readonly status?: "kept";
}

/**
 * @throws StatusError 400, 403 for a namespace that is going, 404 for one that is not there, 409 AlreadyExists, 422 for
 * metadata that is not valid
 */
export function prepareCreate(store: ObjectStore, creation: Creation): ObjectChange {
  const { kind, namespace, object } = creation;
  if ((object.metadata.resourceVersion ?? "") !== "")
    throw badRequest("resourceVersion should not be set on objects to be created");
  namespaceFor(store, { kind, namespace, name: object.metadata.name ?? "Unknown" });
  const name = nameFor(store, creation);
  const problems = metadataProblems(kind, withMetadata(object, { ...object.metadata, name }));
  if (problems.length > 0) throw invalid(kind, name, problems);
  if (store.get({ kind, namespace, name }) !== undefined) throw alreadyExists(kind, name);
  const uid = store.newUid();
  const metadata: ObjectMeta = {
    ...withoutFields(object.metadata, ...SERVERS_METADATA, "namespace"),
    name,
    ...(kind.namespaced ? { namespace } : {}),
    uid,
    ...(countsGenerations(kind) ? { generation: 1 } : {}),
    creationTimestamp: timestamp(store.clock),
  };
  // Its maker owns what was sent and what is usual, and nothing that is filled in behind that.
  const owned = tracked(store, { sent: withMetadata(object, metadata), creation });
  const begun = creation.status === "kept" ? owned : initialStatus(kind, owned);
  const after = store.complete(kind, withJobSelector(kind, begun));
  return { kind, namespace, name, before: undefined, after };
}

function tracked(
  store: ObjectStore,
  { sent, creation }: { readonly sent: KubernetesObject; readonly creation: Creation },
): KubernetesObject {
  const { kind, by } = creation;
  if (by === undefined) return sent;
  return trackUpdate(kind, undefined, sent, { ...by, time: timestamp(store.clock) });
}

function nameFor(store: ObjectStore, { kind, namespace, object }: Creation): string {
  const { name = "", generateName = "" } = object.metadata;
  if (name !== "") return name;
  if (generateName === "")
    throw invalid(kind, "", [requiredValue("metadata.name", "name or generateName is required")]);
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const made = generatedName(generateName, suffix());
    if (store.get({ kind, namespace, name: made }) === undefined) return made;
  }
  throw alreadyExists(kind, generateName);
}

function suffix(): string {
  const characters = Array.from({ length: SUFFIX_CHARACTERS }, () =>
    SUFFIX_ALPHABET.charAt(randomInt(SUFFIX_ALPHABET.length)),
  );
  return characters.join("");
}

function withMetadata(object: KubernetesObject, metadata: ObjectMeta): KubernetesObject {
  return { ...object, metadata };
}
