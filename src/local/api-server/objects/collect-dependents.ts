/**
 * What an object owns goes when it goes, or stays as an orphan, as whoever deletes it says.
 * Source: Kubernetes' garbage collector, `ownerReferences` of meta/v1.
 */
import { isJsonObject, textAt } from "../kinds/json-access.ts";
import type { JsonObject, KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import { withoutFields } from "./json-fields.ts";
import type { CommittedChange, ObjectPlace } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { FOREGROUND, ORPHAN, type Propagation, prepareDelete } from "./prepare-delete.ts";
import { isReleased } from "./prepare-update.ts";

/** Looks after the store until the returned function is called. */
export function collectDependents(store: ObjectStore): () => void {
  const collector = new DependentsCollector(store);
  for (const kind of store.kinds)
    for (const object of store.list(kind))
      collector.learn(placeOf({ kind, namespace: "", name: "" }, object), object);
  return store.onChange((change) => collector.follow(change));
}

class DependentsCollector {
  readonly #store: ObjectStore;
  /** Where an object with a uid is. */
  readonly #places: Map<string, ObjectPlace> = new Map();
  /** Uids of those that name a uid as their owner. */
  readonly #dependents: Map<string, Set<string>> = new Map();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  learn(place: ObjectPlace, object: KubernetesObject): void {
    const { uid = "" } = object.metadata;
    this.#places.set(uid, place);
    for (const owner of ownersOf(object)) {
      const dependents = this.#dependents.get(owner) ?? new Set();
      this.#dependents.set(owner, dependents.add(uid));
    }
  }

  follow(change: CommittedChange): void {
    const { before, after, object } = change;
    if (before !== undefined) this.#forget(before);
    if (after !== undefined) this.learn(placeOf(change, after), after);
    if (change.type === "DELETED") this.#removeDependents(object, "Background");
    else if (object.metadata.deletionTimestamp !== undefined) this.#advance(object);
    for (const owner of new Set([...ownersOf(before), ...ownersOf(after)])) {
      const found = this.#read(owner);
      if (found !== undefined) this.#advance(found.object);
    }
  }

  #forget(object: KubernetesObject): void {
    const { uid = "" } = object.metadata;
    this.#places.delete(uid);
    for (const owner of ownersOf(object)) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }

  /** One that is going, and waits for what becomes of its dependents. */
  #advance(owner: KubernetesObject): void {
    const { uid = "", deletionTimestamp, finalizers = [] } = owner.metadata;
    if (deletionTimestamp === undefined) return;
    if (finalizers.includes(ORPHAN)) {
      for (const dependent of this.#dependentsOf(uid)) this.#disown(dependent, uid);
      this.#release(uid, ORPHAN);
    } else if (finalizers.includes(FOREGROUND)) {
      this.#removeDependents(owner, "Foreground");
      const isBlocked = this.#dependentsOf(uid).some(
        ({ object }) => blocks(object, uid) && !this.#isOwnedBy(owner, object),
      );
      if (!isBlocked) this.#release(uid, FOREGROUND);
    }
  }

  /** At any remove: of two that own each other neither would ever go. */
  #isOwnedBy(object: KubernetesObject, { metadata: { uid = "" } }: KubernetesObject): boolean {
    const seen = new Set(ownersOf(object));
    for (const owner of seen) {
      if (owner === uid) return true;
      for (const next of ownersOf(this.#read(owner)?.object)) seen.add(next);
    }
    return false;
  }

  #removeDependents(owner: KubernetesObject, propagation: Propagation): void {
    const { uid = "" } = owner.metadata;
    for (const { place, object } of this.#dependentsOf(uid)) {
      const others = ownersOf(object).filter((one) => one !== uid && this.#places.has(one));
      if (others.length > 0) this.#disown({ place, object }, uid);
      else if (object.metadata.deletionTimestamp === undefined) {
        const hasOwn = this.#dependents.has(object.metadata.uid ?? "");
        const own = hasOwn ? propagation : "Background";
        this.#store.commit(prepareDelete(this.#store, { ...place, propagation: own }));
      }
    }
  }

  #disown(
    { place, object }: { readonly place: ObjectPlace; readonly object: KubernetesObject },
    owner: string,
  ): void {
    const { ownerReferences = [] } = object.metadata;
    const others = ownerReferences.filter((one) => textAt(one, "uid") !== owner);
    const rest: ObjectMeta = withoutFields(object.metadata, "ownerReferences");
    const metadata = others.length === 0 ? rest : { ...rest, ownerReferences: others };
    this.#store.commit({ ...place, before: object, after: { ...object, metadata } });
  }

  #release(uid: string, finalizer: string): void {
    const found = this.#read(uid);
    if (found?.object.metadata.finalizers?.includes(finalizer) !== true) return;
    const { place, object } = found;
    const finalizers = object.metadata.finalizers?.filter((one) => one !== finalizer) ?? [];
    const released = { ...object, metadata: { ...object.metadata, finalizers } };
    const after = isReleased(released) ? undefined : released;
    this.#store.commit({ ...place, before: object, after });
  }

  #dependentsOf(uid: string): { readonly place: ObjectPlace; readonly object: KubernetesObject }[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((one) => this.#read(one) ?? []);
  }

  #read(
    uid: string,
  ): { readonly place: ObjectPlace; readonly object: KubernetesObject } | undefined {
    const place = this.#places.get(uid);
    const object = place === undefined ? undefined : this.#store.get(place);
    return place === undefined || object?.metadata.uid !== uid ? undefined : { place, object };
  }
}

function placeOf({ kind }: ObjectPlace, { metadata }: KubernetesObject): ObjectPlace {
  return { kind, namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

function ownersOf(object: KubernetesObject | undefined): readonly string[] {
  return referencesOf(object).map((reference) => textAt(reference, "uid"));
}

function blocks(object: KubernetesObject, owner: string): boolean {
  return referencesOf(object).some(
    (reference) => textAt(reference, "uid") === owner && reference["blockOwnerDeletion"] === true,
  );
}

/** What strangers write may be anything. */
function referencesOf(object: KubernetesObject | undefined): readonly JsonObject[] {
  const references = object?.metadata.ownerReferences;
  return Array.isArray(references) ? references.filter(isJsonObject) : [];
}
