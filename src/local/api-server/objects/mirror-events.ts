/** Events are served in two groups: what is written in one is there in the other. */
import { coreEvent, EVENTS_GROUP, laterEvent } from "../kinds/event-forms.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { withoutFields } from "./json-fields.ts";
import type { CommittedChange } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";

/** Looks after the store until the returned function is called. */
export function mirrorEvents(store: ObjectStore): () => void {
  const find = (wanted: string): ServedKind | undefined =>
    store.kinds.find(({ group, plural }) => group === wanted && plural === "events");
  const [core, later] = [find(""), find(EVENTS_GROUP)];
  if (core === undefined || later === undefined) return () => {};
  /** What was written here is mirrored already. */
  const mirrored: WeakSet<KubernetesObject> = new WeakSet();
  const mirror = (
    kind: ServedKind,
    {
      namespace,
      name,
      type,
      object,
    }: Pick<CommittedChange, "namespace" | "name" | "type" | "object">,
  ): void => {
    const place = { kind: kind === core ? later : core, namespace, name };
    const before = store.get(place);
    if (type === "DELETED") {
      if (before !== undefined) store.commit({ ...place, before, after: undefined });
      return;
    }
    const form = kind === core ? laterEvent(object) : coreEvent(object);
    // Who owns which field is said by its name, which is another there.
    const metadata = withoutFields(form.metadata, "resourceVersion", "managedFields");
    mirrored.add(store.commit({ ...place, before, after: { ...form, metadata } }));
  };
  for (const object of store.list(core)) {
    const { namespace = "", name = "" } = object.metadata;
    mirror(core, { namespace, name, type: "ADDED", object });
  }
  return store.onChange((change) => {
    if (change.kind !== core && change.kind !== later) return;
    if (!mirrored.has(change.object)) mirror(change.kind, change);
  });
}
