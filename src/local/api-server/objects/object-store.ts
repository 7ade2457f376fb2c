/**
 * The objects of the API server, in memory. Every commit is synchronous and gets a version of its own, from one counter
 * for all kinds. What comes from outside passes a gate first; what the mesh itself writes does not.
 */
import type { Clock } from "../../../runtime/clock.ts";
import { InTurn } from "../../../runtime/in-turn.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { ChangeWindow, type WindowSize } from "./change-window.ts";
import type { Admit, CommittedChange, ObjectChange, ObjectPlace } from "./object-change.ts";
import { conflict } from "./refusals.ts";
import { StatusError } from "./status-error.ts";

/** Changes that a watch may be behind by. */
const WINDOW: WindowSize = { changes: 1_024, bytes: 64 * 1_048_576 };
/** All kinds together: far more than a machine runs. */
const MAX_OBJECTS = 20_000;
/** Of one object that somebody writes, as JSON. Source: etcd's `--max-request-bytes`. */
const MAX_OBJECT_BYTES = 1_572_864;
/** Of all objects, as JSON; in memory they take a few times as much. */
const MAX_BYTES = 128 * 1_048_576;
/** How often a change is prepared anew because another came between. */
const ATTEMPTS = 5;

export interface ObjectStoreOptions {
  readonly kinds: readonly ServedKind[];
  readonly clock: Clock;
  readonly newUid: () => string;
  /** Asked before each change from outside; absent, all are let through. */
  readonly admit?: Admit;
  /** What the mesh itself fills into a new object, such as a Service's address. @throws StatusError */
  readonly complete?: (kind: ServedKind, object: KubernetesObject) => KubernetesObject;
  /** Version to go on from; absent: the time in milliseconds, so that those of an earlier run are in the past. */
  readonly startVersion?: number;
  /** Constants but for tests. */
  readonly window?: WindowSize;
  readonly maxObjects?: number;
  readonly maxBytes?: number;
}

export interface Submitted {
  /** As it is stored; as it was last, where it is gone. */
  readonly object: KubernetesObject;
  readonly warnings: readonly string[];
  readonly change: ObjectChange;
}

export class ObjectStore {
  readonly kinds: readonly ServedKind[];
  readonly clock: Clock;
  readonly newUid: () => string;
  readonly complete: (kind: ServedKind, object: KubernetesObject) => KubernetesObject;
  readonly #admit: Admit;
  readonly #maxObjects: number;
  readonly #maxBytes: number;
  readonly #window: ChangeWindow;
  /** By kind, then by namespace and name. */
  readonly #objects: Map<string, Map<string, KubernetesObject>> = new Map();
  readonly #listeners: Set<(change: CommittedChange) => void> = new Set();
  readonly #turns = new InTurn();
  readonly #untold: CommittedChange[] = [];
  #isTelling = false;
  /** Of what is stored, as JSON. */
  readonly #sizes: WeakMap<KubernetesObject, number> = new WeakMap();
  #version: number;
  #count = 0;
  #bytes = 0;

  constructor(options: ObjectStoreOptions) {
    this.kinds = options.kinds;
    this.clock = options.clock;
    this.newUid = options.newUid;
    this.complete = options.complete ?? ((_kind, object) => object);
    this.#admit = options.admit ?? (() => Promise.resolve({ warnings: [] }));
    this.#maxObjects = options.maxObjects ?? MAX_OBJECTS;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#version = options.startVersion ?? options.clock.now().getTime();
    this.#window = new ChangeWindow(options.window ?? WINDOW, this.#version);
  }

  /** Of the newest change. */
  get resourceVersion(): number {
    return this.#version;
  }

  get({ kind, namespace, name }: ObjectPlace): KubernetesObject | undefined {
    return this.#objects.get(keyOfKind(kind))?.get(keyOf(namespace, name));
  }

  /** @param namespace absent: of all; ordered by namespace and name */
  list(kind: ServedKind, namespace?: string): readonly KubernetesObject[] {
    return inOrder(this.#objects.get(keyOfKind(kind)) ?? new Map(), namespace);
  }

  /** @returns as `list`, as it was at a version; undefined when that is too long ago, or still to come */
  listAt(
    kind: ServedKind,
    {
      namespace,
      resourceVersion,
    }: { readonly namespace?: string; readonly resourceVersion: number },
  ): readonly KubernetesObject[] | undefined {
    const later = this.changesSince(resourceVersion);
    if (later === undefined || resourceVersion > this.#version) return undefined;
    const objects = new Map(this.#objects.get(keyOfKind(kind)) ?? []);
    for (const change of later.toReversed()) {
      if (change.kind !== kind) continue;
      const key = keyOf(change.namespace, change.name);
      if (change.before === undefined) objects.delete(key);
      else objects.set(key, change.before);
    }
    return inOrder(objects, namespace);
  }

  /** @returns oldest first; undefined when some have been forgotten */
  changesSince(resourceVersion: number): readonly CommittedChange[] | undefined {
    return this.#window.since(resourceVersion);
  }

  /** Calls `listener` for every change, in order, until the returned function is called. */
  onChange(listener: (change: CommittedChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A change from outside: prepared, shown to the gate, committed. One after the other, so that the gate judges what
   * will be.
   *
   * @param prepare called again when the mesh itself wrote the object meanwhile
   * @throws StatusError from `prepare`, the gate, or 409 when the object does not come to rest
   */
  submit(
    prepare: () => ObjectChange,
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<Submitted> {
    return this.#turns.run(async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const change = prepare();
        const unchanged = change.after !== undefined && change.after === change.before;
        if (unchanged) return { object: change.after, warnings: [], change };
        this.#refuseBeyondLimit(change);
        this.#refuseTooLarge(change);
        const { warnings } = await this.#admit(change);
        if (this.get(change) !== change.before) continue;
        if (!dryRun) return { object: this.commit(change), warnings, change };
        const object = change.after ?? change.last ?? change.before;
        if (object !== undefined) return { object, warnings, change };
      }
      const { kind, name } = prepare();
      throw conflict(kind, name);
    });
  }

  /**
   * Stores what was prepared, and tells the listeners.
   *
   * @returns the object as stored; of one that is gone, as it was, at the version at which it went
   * @throws StatusError 409 when the object is no longer what the change starts from; 429 when there is no room
   */
  commit(change: ObjectChange): KubernetesObject {
    const { kind, namespace, name, before, after } = change;
    if (this.get(change) !== before) throw conflict(kind, name);
    const last = after ?? change.last ?? before;
    if (last === undefined) throw conflict(kind, name);
    if (after !== undefined && after === before) return after;
    this.#refuseBeyondLimit(change);
    const resourceVersion = ++this.#version;
    const object = versioned(last, resourceVersion);
    const objects = this.#objects.get(keyOfKind(kind)) ?? new Map<string, KubernetesObject>();
    this.#objects.set(keyOfKind(kind), objects);
    if (after === undefined) objects.delete(keyOf(namespace, name));
    else objects.set(keyOf(namespace, name), object);
    this.#count += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    const bytes = bytesOf(object);
    this.#sizes.set(object, bytes);
    this.#bytes += (after === undefined ? 0 : bytes) - this.#sizeOf(before);
    const type = before === undefined ? "ADDED" : after === undefined ? "DELETED" : "MODIFIED";
    const stored = after === undefined ? undefined : object;
    this.#tell({ ...change, after: stored, type, object, resourceVersion }, bytes);
    return object;
  }

  /** A listener may commit in its turn: everybody hears of the first change before the second. */
  #tell(change: CommittedChange, bytes: number): void {
    this.#window.add(change, bytes);
    this.#untold.push(change);
    if (this.#isTelling) return;
    this.#isTelling = true;
    const failures: unknown[] = [];
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(next);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    this.#isTelling = false;
    if (failures.length > 0) throw new AggregateError(failures, "a listener of the store failed");
  }

  #refuseBeyondLimit({ before }: ObjectChange): void {
    if (before !== undefined || this.#count < this.#maxObjects) return;
    const message = `there are ${this.#maxObjects} objects already; delete some first`;
    throw new StatusError(429, "TooManyRequests", { message });
  }

  /** What the mesh itself writes is no larger than what it is made from. */
  #refuseTooLarge({ before, after }: ObjectChange): void {
    if (after === undefined) return;
    const bytes = bytesOf(after);
    const [was, most] = [this.#sizeOf(before), this.#maxBytes];
    if (bytes > MAX_OBJECT_BYTES && bytes > was)
      throw new StatusError(413, "RequestEntityTooLarge", {
        message: `Request entity too large: an object has at most ${MAX_OBJECT_BYTES} bytes, with what its managers own`,
      });
    if (bytes > was && this.#bytes - was + bytes > most)
      throw new StatusError(429, "TooManyRequests", {
        message: `all objects together have ${most} bytes already; delete some first`,
      });
  }

  #sizeOf(object: KubernetesObject | undefined): number {
    return object === undefined ? 0 : (this.#sizes.get(object) ?? 0);
  }
}

function bytesOf(object: KubernetesObject): number {
  return JSON.stringify(object).length;
}

function versioned(object: KubernetesObject, resourceVersion: number): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(resourceVersion) } };
}

function inOrder(
  objects: ReadonlyMap<string, KubernetesObject>,
  namespace: string | undefined,
): readonly KubernetesObject[] {
  const keys = [...objects.keys()].sort();
  const wanted =
    namespace === undefined ? keys : keys.filter((key) => key.startsWith(`${namespace}/`));
  return wanted.flatMap((key) => objects.get(key) ?? []);
}

function keyOfKind({ group, plural }: ServedKind): string {
  return `${group}/${plural}`;
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
