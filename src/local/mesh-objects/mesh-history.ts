/**
 * What outlasts a mesh beside the objects that somebody wrote: the revisions of Deployments, what happened, and who the
 * objects of the files are, so that both still speak of them.
 */
import { join } from "node:path";
import { describeError } from "../../runtime/hauberk-error.ts";
import { isJsonList, isJsonObject, textAt, valueAt } from "../api-server/kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../api-server/kinds/served-kind.ts";
import { withoutFields } from "../api-server/objects/json-fields.ts";
import type { CommittedChange, ObjectPlace } from "../api-server/objects/object-change.ts";
import type { ObjectStore } from "../api-server/objects/object-store.ts";
import { KeptLines } from "./kept-lines.ts";
import { kindOf, objectKey, placeOf } from "./object-key.ts";
import { CONTROL_PLANE, SYSTEM_NAMESPACE } from "./projection/system-objects.ts";
import { revisionOf } from "./revisions.ts";

const MAX_REVISION_BYTES = 16 * 1_048_576;
const MAX_EVENT_BYTES = 4 * 1_048_576;
const MAX_IDENTITY_BYTES = 4 * 1_048_576;

/** What tells an object from another of its name that was there before. */
export interface Identity {
  readonly uid: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
}

export interface FollowedObjects {
  readonly store: ObjectStore;
  /** Places of what the files say. */
  readonly fromFiles: () => Iterable<ObjectPlace>;
}

export class MeshHistory {
  readonly #report: (problem: string) => void;
  readonly #revisions: KeptLines;
  readonly #events: KeptLines;
  readonly #identities: KeptLines;
  /** By key: of what the files said to an earlier mesh. */
  readonly #former: Map<string, Identity> = new Map();

  /** @param folder of the data directory, closed to other users */
  constructor(folder: string, report: (problem: string) => void) {
    this.#report = report;
    const lines = (name: string, maxBytes: number): KeptLines =>
      new KeptLines({ file: join(folder, `${name}.jsonl`), maxBytes, report });
    this.#revisions = lines("revisions", MAX_REVISION_BYTES);
    this.#events = lines("events", MAX_EVENT_BYTES);
    this.#identities = lines("identities", MAX_IDENTITY_BYTES);
  }

  /** Brings into the store what an earlier mesh kept. */
  async restore(store: ObjectStore): Promise<void> {
    for (const value of await this.#identities.load()) {
      const key = textAt(value, "key");
      const identity = { uid: textAt(value, "uid"), creationTimestamp: textAt(value, "since") };
      if (
        key !== "" &&
        identity.uid !== "" &&
        !Number.isNaN(Date.parse(identity.creationTimestamp))
      )
        this.#former.set(key, identity);
    }
    const kept = [...(await this.#revisions.load()), ...(await this.#events.load())];
    for (const value of kept) this.#restore(store, value);
  }

  #restore(store: ObjectStore, value: JsonValue): void {
    const kind = isObject(value) ? kindOf(value, store.kinds) : undefined;
    if (!isObject(value) || kind === undefined || !isKept(kind)) return;
    const place = placeOf(value, kind);
    const metadata = withoutFields(value.metadata, "resourceVersion", "managedFields");
    if (store.get(place) !== undefined) return;
    try {
      store.commit({ ...place, before: undefined, after: { ...value, metadata } });
    } catch (error) {
      this.#report(`${objectKey(place)} is forgotten: ${describeError(error)}`);
    }
  }

  /** Of an object of the files that is made now; undefined where no earlier mesh had it. */
  takeIdentity(place: ObjectPlace): Identity | undefined {
    const key = objectKey(place);
    const identity = this.#former.get(key);
    this.#former.delete(key);
    return identity;
  }

  /** From now on what changes is kept. */
  begin(objects: FollowedObjects): void {
    this.#former.clear(); // what is written from now on is new
    forgetOrphans(objects.store);
    this.#keepIdentities(objects);
    this.#keepRevisions(objects);
    objects.store.onChange((change) => this.#keep(change, objects));
  }

  /** Resolves when all that is to be kept is on disk. */
  async settled(): Promise<void> {
    await Promise.all(
      [this.#revisions, this.#events, this.#identities].map((one) => one.settled()),
    );
  }

  #keep({ kind, type }: CommittedChange, objects: FollowedObjects): void {
    if (kind.kind === "Event") this.#keepEvents(objects);
    else if (kind.kind === "ReplicaSet") this.#keepRevisions(objects);
    else if (type !== "MODIFIED" && !PASSING.includes(kind.kind)) this.#keepIdentities(objects);
  }

  #keepRevisions({ store }: FollowedObjects): void {
    this.#revisions.writeSoon(() =>
      listed(store, "ReplicaSet")
        .filter((set) => !isOfControlPlane(set))
        .sort((one, other) => revisionOf(other) - revisionOf(one)),
    );
  }

  #keepEvents({ store }: FollowedObjects): void {
    this.#events.writeSoon(() =>
      listed(store, "Event").sort((one, other) =>
        lastTold(one) < lastTold(other) ? 1 : lastTold(one) > lastTold(other) ? -1 : 0,
      ),
    );
  }

  #keepIdentities({ store, fromFiles }: FollowedObjects): void {
    this.#identities.writeSoon(function* () {
      for (const place of fromFiles()) {
        const { uid, creationTimestamp: since } = store.get(place)?.metadata ?? {};
        if (uid !== undefined && since !== undefined) yield { key: objectKey(place), uid, since };
      }
    });
  }
}

/** What an earlier mesh kept, of what is written no more. */
function forgetOrphans(store: ObjectStore): void {
  const forget = (object: KubernetesObject): void => {
    const kind = kindOf(object, store.kinds);
    if (kind) store.commit({ ...placeOf(object, kind), before: object, after: undefined });
  };
  const deployments = store.kinds.find(({ kind }) => kind === "Deployment");
  const uids = new Set(
    (deployments && store.list(deployments))?.map(({ metadata }) => metadata.uid),
  );
  for (const set of listed(store, "ReplicaSet"))
    if (!uids.has(textAt(set, "metadata", "ownerReferences", 0, "uid"))) forget(set);
  const used = new Set(["default", SYSTEM_NAMESPACE]);
  for (const kind of store.kinds.filter((one) => one.kind !== "Event"))
    for (const { metadata } of store.list(kind))
      used.add((kind.kind === "Namespace" ? metadata.name : metadata.namespace) ?? "");
  for (const event of listed(store, "Event"))
    if (!used.has(event.metadata.namespace ?? "")) forget(event);
}

/** Made by the mesh, anew each time it runs. */
const PASSING: readonly string[] = ["Pod", "EndpointSlice", "Endpoints"];

/** Events are served in two groups; those of the second follow from the first. */
function isKept({ kind, group }: ServedKind): boolean {
  return kind === "ReplicaSet" || (kind === "Event" && group === "");
}

function listed(store: ObjectStore, name: string): KubernetesObject[] {
  const kind = store.kinds.find((one) => one.kind === name && isKept(one));
  return kind === undefined ? [] : [...store.list(kind)];
}

/** Which is another each time. */
function isOfControlPlane({ metadata }: KubernetesObject): boolean {
  const owner = textAt(metadata, "ownerReferences", 0, "name");
  return metadata.namespace === SYSTEM_NAMESPACE && owner === CONTROL_PLANE;
}

/** RFC 3339; "" where nothing says. */
function lastTold(event: KubernetesObject): string {
  return textAt(event, "lastTimestamp") || (event.metadata.creationTimestamp ?? "");
}

/** Whether it has the shape that everybody relies on: somebody may have edited the file. */
function isObject(value: JsonValue): value is KubernetesObject {
  const metadata = valueAt(value, ["metadata"]);
  const references = valueAt(metadata, ["ownerReferences"]) ?? [];
  return (
    textAt(value, "apiVersion") !== "" &&
    [textAt(metadata, "name"), textAt(metadata, "namespace"), textAt(metadata, "uid")].every(
      (text) => text !== "",
    ) &&
    ["labels", "annotations"].every((map) => isTextMap(valueAt(metadata, [map]) ?? {})) &&
    isJsonList(references) &&
    references.every(isJsonObject) &&
    ["finalizers", "deletionTimestamp"].every((field) => valueAt(metadata, [field]) === undefined)
  );
}

function isTextMap(value: JsonValue): boolean {
  return isJsonObject(value) && Object.values(value).every((text) => typeof text === "string");
}
