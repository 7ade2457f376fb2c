/** Objects that are in none of the user's files: kept in the data directory, a file each, so that they outlast the mesh. */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readDocuments } from "../../api/parse-resources.ts";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { InTurn } from "../../runtime/in-turn.ts";
import { readRegularFile } from "../../runtime/regular-file.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ObjectPlace } from "../api-server/objects/object-change.ts";
import { resourceName } from "./object-key.ts";
import { objectText } from "./object-text.ts";

/** Far above what the API server takes. */
const MAX_OBJECT_BYTES = 8 * 1024 * 1024;
/** File systems take 255; a file that is being written has 46 more than its object. */
const MAX_PART = 200;
/** Of a longer one, before its digest. */
const KEPT_CHARACTERS = 100;

export class KeptObjects {
  readonly #folder: string;
  readonly #turns: Map<string, InTurn> = new Map();

  /** @param folder of the data directory, closed to other users */
  constructor(folder: string) {
    this.#folder = folder;
  }

  fileOf(place: ObjectPlace): string {
    return join(this.#folder, `${fileName(place)}.yaml`);
  }

  /** @throws Error of the file system; a file that holds no object is passed over, and told to `report` */
  async load(
    report: (file: string, problem: string) => void,
  ): Promise<readonly KubernetesObject[]> {
    const objects: KubernetesObject[] = [];
    for (const file of await this.#files()) {
      const { bytes } = await readRegularFile(file, {
        maxBytes: MAX_OBJECT_BYTES,
        links: "refused",
      });
      const documents = readDocuments(bytes.toString("utf8"), file);
      const value = documents.length === 1 ? documents[0]?.value : undefined;
      if (isObject(value)) objects.push(value);
      else report(file, "holds no object");
    }
    return objects;
  }

  /** What is written last is what remains. */
  write(place: ObjectPlace, object: KubernetesObject): Promise<void> {
    const file = this.fileOf(place);
    return this.#inTurn(file, async () => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await replaceFile(file, objectText(object), { mode: 0o600 });
    });
  }

  remove(place: ObjectPlace): Promise<void> {
    const file = this.fileOf(place);
    return this.#inTurn(file, () => rm(file, { force: true }));
  }

  /** Resolves when all that was asked for is on disk. */
  async settled(): Promise<void> {
    await Promise.all([...this.#turns.values()].map((turns) => turns.run(async () => {})));
  }

  #inTurn(file: string, work: () => Promise<void>): Promise<void> {
    const turns = this.#turns.get(file) ?? new InTurn();
    this.#turns.set(file, turns);
    return turns.run(work);
  }

  async #files(): Promise<readonly string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(".yaml"))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  }
}

/** Some kinds may be called what means something else in a path, or is longer than a file may be called. */
function fileName({ kind, namespace, name }: ObjectPlace): string {
  return [resourceName(kind), namespace, name].filter(Boolean).map(fileNamePart).join("/");
}

function fileNamePart(part: string): string {
  const encoded = encodeURIComponent(part).replace(/^\./, "%2E");
  if (encoded.length <= MAX_PART) return encoded;
  return `${encoded.slice(0, KEPT_CHARACTERS)}~${createHash("sha256").update(part).digest("hex")}`;
}

function isObject(value: unknown): value is KubernetesObject {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<Record<string, unknown>>;
  return (
    typeof apiVersion === "string" &&
    typeof kind === "string" &&
    typeof metadata === "object" &&
    metadata !== null
  );
}
