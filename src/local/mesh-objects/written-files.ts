/** The user's files as objects of the API server: which document stands for which object. */

import type { KnownDocuments } from "../../api/known-documents.ts";
import type { ReadDocument } from "../../api/parse-resources.ts";
import { referenceOf, type WrittenText } from "../../control/written-texts.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../api-server/kinds/served-kind.ts";
import type { ObjectPlace } from "../api-server/objects/object-change.ts";
import { kindOf } from "./object-key.ts";

/** A document of a file that is an object the server has a kind for. */
export interface FileObject {
  readonly place: ObjectPlace;
  /** As written, with the namespace that it is in. */
  readonly object: KubernetesObject;
  readonly file: string;
  /** For `WrittenText.setAside`. */
  readonly reference: string;
}

/** Remembers what each text held, so that a change of one document costs the reading of one, and makes one other object. */
export class WrittenFiles {
  readonly #kinds: readonly ServedKind[];
  readonly #documents: KnownDocuments;
  readonly #known: WeakMap<ReadDocument, readonly FileObject[]> = new WeakMap();
  #read: ReadonlyMap<string, ReadFile> = new Map();

  constructor(kinds: readonly ServedKind[], documents: KnownDocuments) {
    this.#kinds = kinds;
    this.#documents = documents;
  }

  /** Documents with an issue give no object. */
  read(texts: readonly WrittenText[]): readonly FileObject[] {
    const read = new Map<string, ReadFile>();
    for (const { file, text } of texts) {
      const known = this.#read.get(file);
      read.set(file, known?.text === text ? known : { text, objects: this.#objectsIn(text, file) });
    }
    this.#read = read;
    return [...read.values()].flatMap(({ objects }) => objects);
  }

  #objectsIn(text: string, file: string): readonly FileObject[] {
    return this.#documents.read(text, file).flatMap((document) => {
      const known = this.#known.get(document);
      if (known !== undefined) return known;
      const object = this.#objectOf(document);
      const objects = object === undefined ? [] : [object];
      this.#known.set(document, objects);
      return objects;
    });
  }

  #objectOf({ value, resources, source }: ReadDocument): FileObject | undefined {
    const [resource] = resources;
    if (resource === undefined || !isObject(value)) return undefined;
    const written: KubernetesObject = value;
    const kind = kindOf(written, this.#kinds);
    if (kind === undefined) return undefined;
    const { name } = written.metadata;
    if (name === undefined) return undefined;
    const namespace = kind.namespaced ? (written.metadata.namespace ?? "default") : "";
    const place = { kind, namespace, name };
    const metadata = kind.namespaced ? { ...written.metadata, namespace } : written.metadata;
    const object = { ...written, metadata };
    return { place, object, file: source.file, reference: referenceOf(resource) };
  }
}

interface ReadFile {
  readonly text: string;
  readonly objects: readonly FileObject[];
}

/** What was read without an issue has all that. */
function isObject(value: unknown): value is KubernetesObject {
  return (
    typeof value === "object" && value !== null && "metadata" in value && "apiVersion" in value
  );
}
