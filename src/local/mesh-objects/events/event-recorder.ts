/**
 * Writes down what happens as Events, which `kubectl get events` and `kubectl describe` show. What happens again is
 * counted, an hour later nobody knows of it any more, and there are never more than so many.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { numberAt, textAt } from "../../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import type { ObjectPlace } from "../../api-server/objects/object-change.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import { placeOf } from "../object-key.ts";
import type { Happening, InvolvedObject } from "./happening.ts";

/** Source: kube-apiserver's `--event-ttl`. */
const LIFETIME_MS = 60 * 60_000;
const SWEEP_MS = 60_000;
/** Whoever wrote them. */
const MAX_EVENTS = 1_000;
/** Source: `noteLengthLimit` of Kubernetes' events validation. */
const MAX_MESSAGE = 1_024;
/** With what tells events of one object apart they must fit into a name. */
const MAX_NAME_PART = 200;
/** Where those of kinds that live in no namespace are. */
const DEFAULT_NAMESPACE = "default";

export class EventRecorder {
  readonly #store: ObjectStore;
  readonly #kind: ServedKind;
  readonly #namespaces: ServedKind;
  readonly #maxEvents: number;
  /** Names of those that are counted on, by what they tell. */
  readonly #known: Map<string, ObjectPlace> = new Map();
  readonly #sweep: NodeJS.Timeout;

  /** @param maxEvents a constant but for tests */
  constructor(
    store: ObjectStore,
    { maxEvents = MAX_EVENTS }: { readonly maxEvents?: number } = {},
  ) {
    this.#store = store;
    this.#maxEvents = maxEvents;
    this.#kind = kindOf(store, "Event");
    this.#namespaces = kindOf(store, "Namespace");
    this.forgetOld(); // an earlier mesh kept some
    this.#sweep = setInterval(() => this.forgetOld(), SWEEP_MS).unref();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  /** Says nothing of what is in a namespace that is gone, or about to be. */
  record(happening: Happening): void {
    const namespace = happening.about.namespace || DEFAULT_NAMESPACE;
    if (!this.#isActive(namespace)) return;
    const key = JSON.stringify([
      happening.about,
      happening.type,
      happening.reason,
      messageOf(happening),
    ]);
    const place = this.#known.get(key);
    const before = place === undefined ? undefined : this.#store.get(place);
    const now = timestamp(this.#store.clock);
    const times = happening.times ?? 1;
    if (place !== undefined && before !== undefined) {
      const count = numberAt(before, "count") + times;
      const after = { ...before, lastTimestamp: now, count };
      this.#store.commit({ ...place, before, after });
      return;
    }
    this.#makeRoom();
    const event = this.#eventOf(happening, { namespace, now, times });
    const made = placeOf(event, this.#kind);
    this.#store.commit({ ...made, before: undefined, after: event });
    this.#known.set(key, made);
  }

  /** Those that nobody has seen for so long. */
  forgetOld(): void {
    const now = this.#store.clock.now().getTime();
    for (const event of this.#store.list(this.#kind))
      if (lastSeen(event, now) < now - LIFETIME_MS) this.#forget(event);
    for (const [key, place] of this.#known)
      if (this.#store.get(place) === undefined) this.#known.delete(key);
  }

  #makeRoom(): void {
    const events = this.#store.list(this.#kind);
    if (events.length < this.#maxEvents) return;
    // Some more than need be: it costs a look at all of them.
    const count = events.length - this.#maxEvents + Math.ceil(this.#maxEvents / 10);
    const now = this.#store.clock.now().getTime();
    const byAge = [...events].sort((one, other) => lastSeen(one, now) - lastSeen(other, now));
    for (const event of byAge.slice(0, count)) this.#forget(event);
    this.forgetOld();
  }

  #forget(event: KubernetesObject): void {
    this.#store.commit({ ...placeOf(event, this.#kind), before: event, after: undefined });
  }

  #isActive(name: string): boolean {
    const namespace = this.#store.get({ kind: this.#namespaces, namespace: "", name });
    return namespace !== undefined && namespace.metadata.deletionTimestamp === undefined;
  }

  #eventOf(
    happening: Happening,
    {
      namespace,
      now,
      times,
    }: { readonly namespace: string; readonly now: string; readonly times: number },
  ): KubernetesObject {
    const { about, type, reason, component } = happening;
    const name = `${about.name.slice(0, MAX_NAME_PART)}.${randomBytes(8).toString("hex")}`;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace, uid: this.#store.newUid(), creationTimestamp: now },
      involvedObject: referenceOf(about),
      reason,
      message: messageOf(happening),
      source: { component, host: hostname().toLowerCase() },
      firstTimestamp: now,
      lastTimestamp: now,
      count: times,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: hostname().toLowerCase(),
    };
  }
}

function messageOf({ message }: Happening): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 3)}...`;
}

function referenceOf({ namespace, ...about }: InvolvedObject): Readonly<Record<string, string>> {
  return namespace === "" ? about : { namespace, ...about };
}

/** In milliseconds since the epoch. What somebody claims of the future keeps nothing for ever. */
function lastSeen(event: KubernetesObject, now: number): number {
  const said = [
    event.metadata.creationTimestamp ?? "",
    textAt(event, "series", "lastObservedTime"),
    textAt(event, "lastTimestamp"),
    textAt(event, "eventTime"),
  ].map((text) => Date.parse(text));
  return Math.max(0, ...said.filter((time) => time <= now));
}

function kindOf(store: ObjectStore, name: string): ServedKind {
  const found = store.kinds.find(({ group, kind }) => group === "" && kind === name);
  if (found === undefined) throw new Error(`the API server has no kind ${name}`);
  return found;
}
