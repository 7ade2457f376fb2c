/** A namespace that is deleted takes what is in it with it, and goes last. */
import { textAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import type { ObjectPlace } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { prepareDelete } from "./prepare-delete.ts";

/** Looks after the store until the returned function is called. */
export function emptyNamespaces(store: ObjectStore): () => void {
  const namespaces = store.kinds.find(
    ({ group, plural }) => group === "" && plural === "namespaces",
  );
  if (namespaces === undefined) return () => {};
  const finish = (name: string): void => {
    const namespace = store.get({ kind: namespaces, namespace: "", name });
    if (namespace === undefined || !isTerminating(namespace) || !isEmpty(store, name)) return;
    const place = { kind: namespaces, namespace: "", name };
    if ((namespace.metadata.finalizers ?? []).length > 0) return;
    store.commit({ ...place, before: namespace, after: undefined });
  };
  return store.onChange(({ kind, type, after, before, name, namespace }) => {
    if (kind !== namespaces) {
      if (type === "DELETED" && namespace !== "") finish(namespace);
    } else if (after !== undefined && isTerminating(after)) {
      if (before === undefined || !isTerminating(before)) removeContent(store, name);
      finish(name);
    }
  });
}

function isTerminating(namespace: KubernetesObject): boolean {
  return textAt(namespace, "status", "phase") === "Terminating";
}

function removeContent(store: ObjectStore, namespace: string): void {
  for (const kind of namespacedKinds(store))
    for (const { metadata } of store.list(kind, namespace)) {
      const place: ObjectPlace = { kind, namespace, name: metadata.name ?? "" };
      if (store.get(place) === undefined) continue; // went with its owner
      store.commit(prepareDelete(store, { ...place, propagation: "Background" }));
    }
}

function isEmpty(store: ObjectStore, namespace: string): boolean {
  return namespacedKinds(store).every((kind) => store.list(kind, namespace).length === 0);
}

function namespacedKinds(store: ObjectStore): readonly ServedKind[] {
  return store.kinds.filter(({ namespaced }) => namespaced);
}
