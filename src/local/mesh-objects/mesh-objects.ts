/**
 * What is written of the mesh, whoever wrote it: the user's files and the API server's clients write into one store, and
 * what the store holds is what the mesh is brought in step with. The files are applied as `kubectl apply --server-side
 * --force-conflicts` would: at the start, and each document when it changes.
 */
import { randomUUID } from "node:crypto";
import { KnownDocuments } from "../../api/known-documents.ts";
import type { ParsedResources } from "../../api/parse-resources.ts";
import type { Issue, Notice, Resource } from "../../api/resource.ts";
import type { ReadTexts } from "../../control/resource-files.ts";
import { changeIssues } from "../../control/resource-store.ts";
import { textChanges } from "../../control/text-changes.ts";
import { TextReader, type WrittenText } from "../../control/written-texts.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { type Watched, WatchedValue } from "../../runtime/watched.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../api-server/kinds/served-kind.ts";
import { countsGenerations, generationAfter } from "../api-server/objects/generation.ts";
import { isSameJson } from "../api-server/objects/json-fields.ts";
import type { Admission, ObjectChange, ObjectPlace } from "../api-server/objects/object-change.ts";
import { ObjectStore } from "../api-server/objects/object-store.ts";
import { StatusError } from "../api-server/objects/status-error.ts";
import { initialStatus } from "../api-server/objects/status-part.ts";
import { timestamp } from "../api-server/objects/timestamp.ts";
import { applyObject } from "../api-server/patches/apply-object.ts";
import type { WrittenMesh } from "../local-mesh.ts";
import { refusedChange, writtenByMesh } from "./change-refusals.ts";
import type { KeptObjects } from "./kept-objects.ts";
import { FILE_MANAGER, isFromFiles, originOf } from "./managers.ts";
import type { MeshHistory } from "./mesh-history.ts";
import { kindOf, objectKey, placeOf } from "./object-key.ts";
import { writtenPart } from "./object-text.ts";
import { ownedByFile, wantedOf } from "./owned-by-file.ts";
import { isControlPlane } from "./projection/system-objects.ts";
import { isRead } from "./read-kinds.ts";
import { TextComposer } from "./text-composer.ts";
import { unrunImages } from "./unrun-images.ts";
import { type FileObject, WrittenFiles } from "./written-files.ts";

export interface MeshObjectsOptions {
  readonly kinds: readonly ServedKind[];
  readonly kept: KeptObjects;
  readonly history: MeshHistory;
  readonly clock: Clock;
  /** Where relative paths lead from in objects that are in no file. */
  readonly folder: string;
  /** What this mesh in particular cannot do. */
  readonly judge: (resources: readonly Resource[]) => readonly Issue[];
  /** What is to be said of a set as a whole. */
  readonly noticesOf: (parsed: ParsedResources) => readonly Notice[];
  /** What went wrong behind anybody's back. */
  readonly report: (problem: string) => void;
}

/** @throws HauberkError when something of it cannot be started: its message is for the user */
export type CheckWritten = (written: WrittenMesh) => Promise<void>;

export interface OfferedFiles {
  /** "known": they say what is in force already. */
  readonly outcome: "taken" | "known" | "refused";
  readonly issues: readonly Issue[];
  readonly notices: readonly Notice[];
}

export class MeshObjects {
  readonly store: ObjectStore;
  readonly #options: MeshObjectsOptions;
  readonly #files: WrittenFiles;
  /** What is tried and then written is read once. */
  readonly #documents: KnownDocuments = new KnownDocuments();
  readonly #reader: TextReader = new TextReader(this.#documents);
  /** Asked of what might be; so that asking makes nobody forget what is. */
  readonly #candidates: TextReader = new TextReader(this.#documents);
  readonly #composer: TextComposer;
  readonly #written: WatchedValue<WrittenMesh> = new WatchedValue<WrittenMesh>({
    texts: [],
    resources: [],
  });
  #texts: readonly WrittenText[] = [];
  #fileObjects: readonly FileObject[] = [];
  /** By key: each document as it was applied last. */
  #applied: ReadonlyMap<string, FileObject> = new Map();
  #check: CheckWritten = () => Promise.resolve();
  #isDue = false;
  /** What an earlier mesh kept. */
  readonly #restored: ObjectPlace[] = [];

  private constructor(options: MeshObjectsOptions) {
    this.#options = options;
    this.#files = new WrittenFiles(options.kinds, this.#documents);
    this.store = new ObjectStore({
      kinds: options.kinds,
      clock: options.clock,
      newUid: randomUUID,
      admit: (change) => this.#admit(change),
    });
    this.#composer = new TextComposer({
      ...options,
      store: this.store,
      inForce: () => this.#written.current.texts,
    });
  }

  /** With what an earlier mesh kept. @throws Error of the file system */
  static async open(options: MeshObjectsOptions): Promise<MeshObjects> {
    const objects = new MeshObjects(options);
    const { kept, history, report } = options;
    for (const object of await kept.load((file, problem) => report(`${file} ${problem}`)))
      objects.#restore(object);
    await history.restore(objects.store);
    return objects;
  }

  /** From now on what changes is kept, and brought to the mesh: whoever calls this owns the data directory. */
  begin(): void {
    for (const place of this.#restored) this.#keepAsIs(place);
    this.store.onChange((change) => this.#keep(change));
    const fromFiles = (): readonly ObjectPlace[] => this.#fileObjects.map(({ place }) => place);
    this.#options.history.begin({ store: this.store, fromFiles });
  }

  /** Resolves when all that is to be kept is on disk. */
  async settled(): Promise<void> {
    const { kept, history } = this.#options;
    await Promise.all([kept.settled(), history.settled()]);
  }

  /** By uid: of each object that counts them, the generation that is written now. */
  generations(): ReadonlyMap<string, number> {
    const objects = this.store.kinds
      .filter((kind) => isRead(kind) && countsGenerations(kind))
      .flatMap((kind) => this.store.list(kind));
    return new Map(objects.map(({ metadata: { uid = "", generation = 1 } }) => [uid, generation]));
  }

  /** What counts now, as texts and as what they say. */
  get written(): Watched<WrittenMesh> {
    return this.#written;
  }

  /** Asked before a change from outside is let through. */
  checkWith(check: CheckWritten): void {
    this.#check = check;
  }

  /** What the files say now: taken over whole, or refused whole, and nothing has changed. */
  offerFiles({ texts, issues: unread }: ReadTexts): OfferedFiles {
    const fileObjects = this.#files.read(texts);
    const changes = this.#changesFor(fileObjects);
    const after = new Map(changes.map((change) => [objectKey(change), change.after]));
    const parsed = this.#candidates.read(this.#composer.compose({ texts, fileObjects, after }));
    const found = { ...parsed, issues: [...unread, ...parsed.issues] };
    const issues = changeIssues(found, {
      now: this.#nowOr(parsed.resources),
      judge: this.#options.judge,
    });
    const notices = this.#options.noticesOf({ ...parsed, issues });
    if (issues.length > 0) return { outcome: "refused", issues, notices };
    this.#texts = texts;
    this.#fileObjects = fileObjects;
    this.#applied = new Map(fileObjects.map((one) => [objectKey(one.place), one]));
    for (const change of changes) this.store.commit({ ...change, before: this.store.get(change) });
    const before = this.#written.current;
    this.#publish();
    const outcome = this.#written.current === before ? "known" : "taken";
    return { outcome, issues, notices };
  }

  /** At the start nothing is in force that could contradict. */
  #nowOr(resources: readonly Resource[]): readonly Resource[] {
    return this.#texts.length === 0 ? resources : this.#written.current.resources;
  }

  #changesFor(fileObjects: readonly FileObject[]): readonly ObjectChange[] {
    const wanted = new Set(fileObjects.map(({ place }) => objectKey(place)));
    const gone = this.store.kinds.flatMap((kind) =>
      this.store
        .list(kind)
        .map((object) => ({ ...placeOf(object, kind), before: object, after: undefined }))
        .filter((change) => this.#isFromFiles(change) && !wanted.has(objectKey(change))),
    );
    const changed = fileObjects
      .filter(({ place, object }) => !isSame(this.#applied.get(objectKey(place))?.object, object))
      .map(({ place, object }) => this.#applying(place, object))
      .filter(({ before, after }) => !isSame(before, after));
    return [...gone, ...changed];
  }

  #isFromFiles({ before, ...place }: ObjectPlace & { readonly before: KubernetesObject }): boolean {
    return isFromFiles(before) || this.#applied.has(objectKey(place));
  }

  #applying(place: ObjectPlace, written: KubernetesObject): ObjectChange {
    const before = this.store.get(place);
    const { kind } = place;
    const { apiVersion } = written;
    const { clock, history } = this.#options;
    const time = timestamp(clock);
    const change = { manager: FILE_MANAGER, apiVersion, time, force: true };
    const applied = applyObject(kind, before, wantedOf(written), change);
    const after = before === undefined ? initialStatus(kind, applied) : applied;
    const generation = generationAfter(kind, { before, after });
    const made =
      before === undefined &&
      (history.takeIdentity(place) ?? { uid: randomUUID(), creationTimestamp: time });
    const metadata = { ...after.metadata, ...made, ...generation };
    return { ...place, before, after: { ...after, metadata } };
  }

  #restore(object: KubernetesObject): void {
    const kind = kindOf(object, this.#options.kinds);
    if (kind === undefined) return;
    const place = placeOf(object, kind);
    const { resourceVersion: _, ...metadata } = object.metadata;
    const written = { ...object, metadata };
    // What is on its way out has no beginning any more.
    const after = metadata.deletionTimestamp === undefined ? initialStatus(kind, written) : written;
    this.store.commit({ ...place, before: this.store.get(place), after });
    this.#restored.push(place);
  }

  /** Whatever changes: kept where no file has it, and brought to the mesh. */
  #keep({ kind, namespace, name, before, after }: ObjectChange): void {
    const place = { kind, namespace, name };
    if (!isRead(kind) || isControlPlane(place)) return;
    // A status is what the mesh wrote itself.
    if (before && after && isSameJson(writtenPart(before), writtenPart(after))) return;
    this.#keepAsIs(place);
    if (this.#isDue) return;
    this.#isDue = true;
    // Once for all that was committed in one go, and before anybody has the answer that it was.
    queueMicrotask(() => {
      if (this.#isDue) this.#publish();
    });
  }

  #keepAsIs(place: ObjectPlace): void {
    const object = this.store.get(place);
    const { kept, report } = this.#options;
    const inFile = this.#applied.get(objectKey(place));
    const isOwn = object !== undefined && originOf(object, ownedByFile(inFile)) === "others";
    const done = isOwn ? kept.write(place, object) : kept.remove(place);
    done.catch((error: unknown) =>
      report(`${kept.fileOf(place)} is not kept: ${describeError(error)}`),
    );
  }

  #publish(): void {
    this.#isDue = false;
    const texts = this.#composer.compose({ texts: this.#texts, fileObjects: this.#fileObjects });
    const { changed, removed } = textChanges(this.#written.current.texts, texts);
    if (changed.length === 0 && removed.length === 0) return;
    const { resources, issues } = this.#reader.read(texts);
    const [first] = issues;
    if (first === undefined) this.#written.set({ texts, resources });
    else this.#options.report(`the last good state stays in force: ${first.path} ${first.problem}`);
  }

  async #admit(change: ObjectChange): Promise<Admission> {
    const { kind } = change;
    if (change.subresource === "status") return { warnings: [] };
    if (!isRead(kind)) return this.#admitUnread(change);
    if (isControlPlane(change)) return { warnings: [] };
    const file = this.#options.kept.fileOf(change);
    const after = new Map([[objectKey(change), change.after]]);
    const [texts, fileObjects] = [this.#texts, this.#fileObjects];
    const composed = this.#composer.compose({ texts, fileObjects, after });
    const parsed = this.#candidates.read(composed);
    const { judge, noticesOf } = this.#options;
    const issues = changeIssues(parsed, { now: this.#written.current.resources, judge });
    if (issues.length > 0) throw refusedChange(change, { issues, file });
    try {
      await this.#check({ texts: composed, resources: parsed.resources });
    } catch (error) {
      if (!(error instanceof HauberkError)) throw error;
      throw new StatusError(403, "Forbidden", {
        message: `denied by the mesh: ${error.message}`,
      });
    }
    const waitsFor =
      change.after === undefined
        ? []
        : this.#composer.waitsFor(change, { object: change.after, after });
    const unrun = unrunImages(change, parsed.resources);
    if (waitsFor.length > 0)
      return { warnings: [`its pods wait for ${waitsFor.join(", ")}`, ...unrun] };
    const notices = kind.origin === "built-in" ? parsed.notices : noticesOf(parsed);
    const told = notices
      .filter(({ source }) => source.file === file)
      .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    return { warnings: [...unrun, ...told] };
  }

  /** What the mesh itself writes can be deleted, so that it is made anew, and written by nobody else. */
  #admitUnread(change: ObjectChange): Admission {
    const { kind, after } = change;
    const isGoing = after === undefined || after.metadata.deletionTimestamp !== undefined;
    if (isGoing || kind.kind === "Event" || kind.kind === "Lease") return { warnings: [] };
    throw writtenByMesh(change);
  }
}

function isSame(one: KubernetesObject | undefined, other: KubernetesObject | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
