/** Writes objects into the store for the mesh itself: what is not there yet, or is otherwise. */
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import { countsGenerations } from "../../api-server/objects/generation.ts";
import { isSameJson, withoutFields } from "../../api-server/objects/json-fields.ts";
import type { ObjectPlace } from "../../api-server/objects/object-change.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import { trackUpdate } from "../../api-server/patches/managed-fields.ts";
import { MESH_MANAGER } from "../managers.ts";
import { placeOf } from "../object-key.ts";
import { isControlPlane } from "./system-objects.ts";

export class ObjectWriter {
  readonly store: ObjectStore;
  readonly #kinds: ReadonlyMap<string, ServedKind>;

  constructor(store: ObjectStore) {
    this.store = store;
    this.#kinds = new Map(store.kinds.map((kind) => [kindKey(kind.group, kind.kind), kind]));
  }

  /** @param group "" for the core group @throws Error for a kind that is not served */
  kind(group: string, kind: string): ServedKind {
    const found = this.#kinds.get(kindKey(group, kind));
    if (found === undefined) throw new Error(`the API server has no kind ${kind}`);
    return found;
  }

  /** What others wrote of it, such as the time of a restart, stays. */
  show(kind: ServedKind, wanted: KubernetesObject): KubernetesObject {
    const place = placeOf(wanted, kind);
    const before = this.#standing(place, wanted);
    const { clock, newUid } = this.store;
    if (before === undefined) {
      const metadata = {
        creationTimestamp: timestamp(clock),
        ...(countsGenerations(kind) && { generation: 1 }),
        uid: newUid(),
        ...wanted.metadata,
      };
      return this.commit(place, undefined, completed(kind, { ...wanted, metadata }));
    }
    if (isControlPlane(place)) return before; // users restart it
    const { uid, creationTimestamp, ...metadata } = wanted.metadata;
    const after = completed(kind, {
      ...wanted,
      metadata: {
        ...before.metadata,
        ...metadata,
        ...(uid !== undefined && { uid }),
        ...(creationTimestamp !== undefined && { creationTimestamp }),
      },
    });
    if (isSameJson(comparable(before), comparable(after))) return before;
    return this.commit(place, before, after);
  }

  showStatus(object: KubernetesObject, status: JsonObject): void {
    if (isSameJson(object["status"], status)) return;
    const kind = this.kind(groupOf(object), object.kind);
    this.commit(placeOf(object, kind), object, { ...object, status }, "status");
  }

  /** Of this kind only these are left. */
  forgetOthers(kind: ServedKind, shown: readonly KubernetesObject[]): void {
    const kept = new Set(shown.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    for (const before of this.store.list(kind)) {
      if (kept.has(`${before.metadata.namespace}/${before.metadata.name}`)) continue;
      this.store.commit({ ...placeOf(before, kind), before, after: undefined });
    }
  }

  commit(
    place: ObjectPlace,
    before: KubernetesObject | undefined,
    after: KubernetesObject,
    subresource?: "status",
  ): KubernetesObject {
    const tracked = trackUpdate(place.kind, before, after, {
      manager: MESH_MANAGER,
      apiVersion: after.apiVersion,
      time: timestamp(this.store.clock),
      ...(subresource && { subresource }),
    });
    return this.store.commit({ ...place, before, after: tracked });
  }

  /** Whoever has another uid is another: the one before goes first. */
  #standing(place: ObjectPlace, { metadata }: KubernetesObject): KubernetesObject | undefined {
    const before = this.store.get(place);
    if (before === undefined || metadata.uid === undefined || metadata.uid === before.metadata.uid)
      return before;
    this.store.commit({ ...place, before, after: undefined });
    return undefined;
  }
}

function completed(kind: ServedKind, object: KubernetesObject): KubernetesObject {
  return kind.withDefaults?.(object) ?? object;
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

function groupOf({ apiVersion }: KubernetesObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function comparable(object: KubernetesObject): JsonObject {
  const metadata = withoutFields(object.metadata, "resourceVersion", "managedFields");
  return { ...object, metadata };
}
