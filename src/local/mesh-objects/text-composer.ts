/** What the objects of the store say to the mesh, as texts: those of files as they were written, and each other one as its own. */
import { dirname } from "node:path";
import type { WrittenText } from "../../control/written-texts.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ObjectPlace } from "../api-server/objects/object-change.ts";
import type { ObjectStore } from "../api-server/objects/object-store.ts";
import { absentReferences } from "./absent-references.ts";
import type { KeptObjects } from "./kept-objects.ts";
import { originOf } from "./managers.ts";
import { kindOf, objectKey, placeOf } from "./object-key.ts";
import { objectText } from "./object-text.ts";
import { ownedByFile } from "./owned-by-file.ts";
import { carriedOut, isPaused } from "./paused-deployment.ts";
import { isControlPlane } from "./projection/system-objects.ts";
import { isRead } from "./read-kinds.ts";
import type { FileObject } from "./written-files.ts";

export interface TextComposerOptions {
  readonly store: ObjectStore;
  readonly kept: Pick<KeptObjects, "fileOf">;
  /** Where relative paths lead from in objects that are in no file. */
  readonly folder: string;
  /** What the mesh is made of now. */
  readonly inForce: () => readonly WrittenText[];
}

export interface Composition {
  /** Of files. */
  readonly texts: readonly WrittenText[];
  readonly fileObjects: readonly FileObject[];
  /** What is not in the store yet, by key; undefined: what is not to be there any more. */
  readonly after?: ReadonlyMap<string, KubernetesObject | undefined>;
}

interface PlacedObject {
  readonly place: ObjectPlace;
  readonly object: KubernetesObject;
}

export class TextComposer {
  readonly #options: TextComposerOptions;

  constructor(options: TextComposerOptions) {
    this.#options = options;
  }

  compose({ texts, fileObjects, after = new Map() }: Composition): readonly WrittenText[] {
    const objects = this.#objectsWith(after);
    const inFiles = new Map(fileObjects.map((one) => [objectKey(one.place), one]));
    const aside = new Map<string, string[]>();
    for (const one of fileObjects) {
      const { place, file, reference } = one;
      const object = objects.get(objectKey(place))?.object;
      if (object !== undefined && originOf(object, ownedByFile(one)) !== "others") continue;
      aside.set(file, [...(aside.get(file) ?? []), reference]);
    }
    const own = [...objects].flatMap(([key, { place, object }]) => {
      const inFile = inFiles.get(key);
      if (originOf(object, ownedByFile(inFile)) !== "others") return [];
      const file = this.#options.kept.fileOf(place);
      if (this.#absent(place, object, objects).length > 0) return [];
      const folder = inFile === undefined ? this.#options.folder : dirname(inFile.file);
      const completed = place.kind.origin === "built-in" && { completed: true as const };
      return [{ file, text: objectText(this.#carriedOut(place, object)), folder, ...completed }];
    });
    const written = texts.map((text) => {
      const setAside = aside.get(text.file);
      return setAside === undefined ? text : { ...text, setAside };
    });
    return [...written, ...own];
  }

  /** What its pods need and nobody has written. What is in force already stays: to take away what its pods need is refused. */
  waitsFor(
    place: ObjectPlace,
    {
      object,
      after,
    }: { readonly object: KubernetesObject; readonly after: NonNullable<Composition["after"]> },
  ): readonly string[] {
    return this.#absent(place, object, this.#objectsWith(after));
  }

  #carriedOut({ kind, namespace }: ObjectPlace, object: KubernetesObject): KubernetesObject {
    if (kind.kind !== "Deployment" || !isPaused(object)) return object;
    const sets = this.#options.store.kinds.find((one) => one.kind === "ReplicaSet");
    return sets === undefined
      ? object
      : carriedOut(object, this.#options.store.list(sets, namespace));
  }

  #absent(
    place: ObjectPlace,
    object: KubernetesObject,
    among: ReadonlyMap<string, PlacedObject>,
  ): readonly string[] {
    const file = this.#options.kept.fileOf(place);
    if (this.#options.inForce().some((text) => text.file === file)) return [];
    return absentReferences(object, (plural, name) =>
      among.has(`${plural}/${place.namespace}/${name}`),
    );
  }

  /** Those that say something to the mesh. */
  #objectsWith(
    after: ReadonlyMap<string, KubernetesObject | undefined>,
  ): ReadonlyMap<string, PlacedObject> {
    const objects = new Map<string, PlacedObject>();
    for (const kind of this.#options.store.kinds.filter(isRead)) {
      for (const object of this.#options.store.list(kind)) {
        const place = placeOf(object, kind);
        if (!isControlPlane(place)) objects.set(objectKey(place), { place, object });
      }
    }
    for (const [key, object] of after) {
      const kind = object === undefined ? undefined : kindOf(object, this.#options.store.kinds);
      if (object === undefined || kind === undefined) objects.delete(key);
      else if (isRead(kind)) objects.set(key, { place: placeOf(object, kind), object });
    }
    return objects;
  }
}
