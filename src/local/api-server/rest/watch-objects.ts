/** Watches: every change of a collection from a version on. Source: Kubernetes' API concepts, "Efficient detection of changes". */
import { randomInt } from "node:crypto";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { forbiddenValue } from "../objects/metadata-problems.ts";
import type { CommittedChange } from "../objects/object-change.ts";
import type { ObjectStore } from "../objects/object-store.ts";
import { expired, invalidOptions } from "../objects/refusals.ts";
import { type StreamAnswer, statusOf } from "./api-answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { refuseFuture, tooOld, versionOf } from "./list-objects.ts";
import type { OpenWatches } from "./open-watches.ts";
import { type Form, presentObject } from "./present-objects.ts";
import { countOf, flagOf } from "./request-options.ts";
import type { ResourceTarget } from "./resource-target.ts";
import { type Selection, selectionOf } from "./selection.ts";

const BOOKMARK_MS = 60_000;
/** Where the client does not say how long: between half an hour and an hour, so that not all come again at once. */
const MIN_SECONDS = 1_800;
const MAX_SECONDS = 3_600;
/** Whatever the client says. */
const LONGEST_SECONDS = 86_400;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

interface Watching {
  readonly store: ObjectStore;
  readonly target: ResourceTarget;
  readonly request: ApiRequest;
  /** With the time of each event. */
  readonly form: () => Form;
  readonly watches: OpenWatches;
}

/** @throws StatusError 400, 422, 429, 504 for a version to come */
export function watchObjects(watching: Watching): StreamAnswer {
  const { store, target, request } = watching;
  const { query } = request;
  const isWanted = selectionOf(request, target);
  const version = versionOf(query);
  refuseFuture(version, store);
  const allowsBookmarks = flagOf(query, "allowWatchBookmarks");
  const wantsInitial = wantsInitialEvents(query);
  const wanted = countOf(query, "timeoutSeconds") ?? 0;
  const seconds = wanted > 0 ? Math.min(wanted, LONGEST_SECONDS) : usualSeconds();
  const leave = watching.watches.enter();
  return {
    stream: (write, signal) =>
      new Promise((resolve) => {
        const events = new Events(watching, { isWanted, write });
        const ended = endsWith(signal, seconds * 1_000, () => {
          stop();
          bookmarks?.unref();
          clearInterval(bookmarks);
          leave();
          resolve();
        });
        const told = wantsInitial || version === 0 ? events.tellAll() : events.tellSince(version);
        const stop = store.onChange((change) => told && !events.tellChange(change) && ended());
        const bookmarks = allowsBookmarks
          ? setInterval(() => events.tellBookmark(), BOOKMARK_MS)
          : undefined;
        if (!told) ended();
        else if (wantsInitial && allowsBookmarks)
          events.tellBookmark({ [INITIAL_EVENTS_END]: "true" });
      }),
  };
}

function usualSeconds(): number {
  return randomInt(MIN_SECONDS, MAX_SECONDS);
}

/** Calls `end` once: when the client goes, the time is over, or somebody calls what is returned. */
function endsWith(signal: AbortSignal, afterMs: number, end: () => void): () => void {
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", finish);
    queueMicrotask(end);
  };
  const timer = setTimeout(finish, afterMs);
  signal.addEventListener("abort", finish, { once: true });
  if (signal.aborted) finish();
  return finish;
}

class Events {
  readonly #watching: Watching;
  readonly #isWanted: Selection;
  readonly #write: (value: JsonObject) => boolean;
  #isFirst = true;

  constructor(
    watching: Watching,
    {
      isWanted,
      write,
    }: { readonly isWanted: Selection; readonly write: (value: JsonObject) => boolean },
  ) {
    this.#watching = watching;
    this.#isWanted = isWanted;
    this.#write = write;
  }

  /** What is there now, as if it had just been made. @returns whether the client keeps up */
  tellAll(): boolean {
    const { store, target } = this.#watching;
    return store
      .list(target.kind, target.namespace)
      .filter(this.#isWanted)
      .every((object) => this.#tellObject("ADDED", object));
  }

  tellSince(version: number): boolean {
    const { store } = this.#watching;
    const changes = store.changesSince(version);
    if (changes !== undefined) return changes.every((change) => this.tellChange(change));
    this.#tell("ERROR", statusOf(expired(tooOld(version, store))));
    return false;
  }

  /** What comes into sight is added, what leaves it is deleted. */
  tellChange({ kind, before, after, object }: CommittedChange): boolean {
    if (kind !== this.#watching.target.kind) return true;
    const was = before !== undefined && this.#isWanted(before);
    const is = after !== undefined && this.#isWanted(after);
    if (!was && !is) return true;
    return this.#tellObject(was && is ? "MODIFIED" : is ? "ADDED" : "DELETED", object);
  }

  /** Up to where nothing is left to tell. */
  tellBookmark(annotations?: Readonly<Record<string, string>>): boolean {
    const { store, target } = this.#watching;
    return this.#tellObject("BOOKMARK", {
      kind: target.kind.kind,
      apiVersion: target.apiVersion,
      metadata: {
        resourceVersion: String(store.resourceVersion),
        ...(annotations === undefined ? {} : { annotations }),
      },
    });
  }

  /** The columns of a table are told once. */
  #tellObject(type: EventType, object: KubernetesObject): boolean {
    const form = this.#watching.form();
    const shown = presentObject(object, form);
    const isTable = form.transformation?.as === "Table";
    const { columnDefinitions: _, ...rest } = shown;
    const isRepeated = isTable && !this.#isFirst;
    this.#isFirst = false;
    return this.#tell(type, isRepeated ? { ...rest, columnDefinitions: null } : shown);
  }

  #tell(type: EventType, object: JsonObject): boolean {
    return this.#write({ type, object });
  }
}

/** @throws StatusError 422 */
function wantsInitialEvents(query: URLSearchParams): boolean {
  if (!query.has("sendInitialEvents")) return false;
  if (query.get("resourceVersionMatch") !== "NotOlderThan")
    throw invalidOptions(
      "ListOptions",
      forbiddenValue(
        "resourceVersionMatch",
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      ),
    );
  return flagOf(query, "sendInitialEvents");
}
