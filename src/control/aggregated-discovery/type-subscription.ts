/**
 * What one proxy has asked for of one type, has been sent, and has answered: a plain state machine without IO, the same
 * for both forms of the protocol.
 * Source: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";
import { charactersOf, NameSet } from "./name-set.ts";
import { NO_RESOURCES, type ResourceSet } from "./resource-set.ts";
import type { ResourceType } from "./resource-types.ts";

/** What a proxy sends of one type, whichever form of the protocol it speaks. */
export interface TypeRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Versions that it kept from an earlier stream, by name. */
  readonly held: Readonly<Record<string, string>>;
}

export interface TypeUpdate {
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
}

export type TypeAnswer =
  | { readonly verdict: "acknowledged" | "stale" }
  | { readonly verdict: "refused"; readonly error: string };

interface Sent {
  /** What the proxy had before; what it stays with where it refuses. */
  readonly before: ResourceSet;
  readonly after: ResourceSet;
  readonly update: TypeUpdate;
}

/** More answers than that a proxy cannot owe: it asks without end. */
const MAX_UNANSWERED = 64;
const WILDCARD = "*";

export class TypeSubscription {
  readonly type: ResourceType;
  #names: NameSet = NameSet.NONE;
  #wildcard = false;
  #asked = false;
  /** What the proxy has, or was sent, of what it has subscribed to. */
  #has: ResourceSet = NO_RESOURCES;
  /** Sets that it is led through to the newest, one after the other. */
  #way: readonly ResourceSet[] = [];
  /** The newest that the last step was on the way to. */
  #target: ResourceSet = NO_RESOURCES;
  #removals: readonly string[] = [];
  #leaving: readonly EncodedResource[] = [];
  #again: readonly string[] = [];
  /** Of what it refused it may have taken a part: these may be otherwise than in `#has`. */
  readonly #doubtful: Set<string> = new Set();
  readonly #sent: Map<string, Sent> = new Map();
  #error: string | undefined;

  constructor(type: ResourceType) {
    this.type = type;
  }

  get isAsked(): boolean {
    return this.#asked;
  }

  get isAwaitingAnswer(): boolean {
    return this.#sent.size > 0;
  }

  get isOverrun(): boolean {
    return this.#sent.size > MAX_UNANSWERED;
  }

  /** Whether all that is to be sent was sent, and answered. */
  get isSettled(): boolean {
    return (
      !this.isAwaitingAnswer &&
      this.#way.length === 0 &&
      this.#removals.length === 0 &&
      this.#again.length === 0
    );
  }

  /** What the proxy said against what it was sent, until it takes something later. */
  get error(): string | undefined {
    return this.#error;
  }

  get has(): ResourceSet {
    return this.#has;
  }

  /** What it was last led to, whether or not it takes it. */
  get target(): ResourceSet {
    return this.#target;
  }

  /** What is gone, of which the proxy has not been told yet. */
  get leaving(): readonly EncodedResource[] {
    return this.#leaving;
  }

  get subscribed(): NameSet | "all" {
    return this.#wildcard ? "all" : this.#names;
  }

  /** That it asked for by name, whether or not it asked for all as well, or that it refused. */
  get nameCount(): number {
    return Math.max(this.#names.names.size, this.#doubtful.size);
  }

  /** Of all names that are kept of what the proxy said: asked for, refused, or told to be gone and not answered yet. */
  get nameCharacters(): number {
    let unanswered = 0;
    for (const { update } of this.#sent.values()) unanswered += charactersOf(update.removed);
    return this.#names.characters + charactersOf(this.#doubtful) + unanswered;
  }

  isSubscribed(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  /** @returns what must be sent at once; undefined: nothing */
  take(request: TypeRequest, newest: ResourceSet): TypeUpdate | undefined {
    const isFirst = !this.#asked;
    this.#asked = true;
    const asksForAll =
      request.subscribe.includes(WILDCARD) ||
      (isFirst && request.subscribe.length === 0 && this.type.wildcard === "possible");
    const names = request.subscribe
      .filter((name) => name !== WILDCARD)
      .map((name) => newest.find(name)?.name ?? name);
    this.#names = this.#names.with(names).without(request.unsubscribe);
    if (request.unsubscribe.includes(WILDCARD)) this.#wildcard = false;
    if (asksForAll) this.#wildcard = true;
    if (isFirst) [this.#has, this.#target] = [newest, newest];
    if (asksForAll) return allOf(newest, request.held);
    return names.length === 0 ? undefined : namedOf(newest, names, request.held);
  }

  /**
   * What is doubtful is told anew on the way.
   *
   * @param way the sets to lead the proxy through; the last is the newest
   */
  lead(way: readonly ResourceSet[]): void {
    this.#way = way;
    if (this.#doubtful.size === 0) return;
    const newest = way.at(-1) ?? this.#has;
    const doubtful = [...this.#doubtful].filter((name) => this.isSubscribed(name));
    const gone = doubtful.filter((name) => newest.find(name) === undefined);
    this.#doubtful.clear();
    this.sendAgain(doubtful);
    this.#removals = [...new Set([...this.#removals, ...gone])];
  }

  /** Those of these names that it has subscribed to are sent once more, with what is sent next. */
  sendAgain(names: readonly string[]): void {
    this.#again = [...this.#again, ...names.filter((name) => this.isSubscribed(name))];
  }

  /** @returns the next change, without what is gone; undefined: there is none */
  next(): TypeUpdate | undefined {
    while (this.#way.length > 0 || this.#again.length > 0) {
      const [led, ...rest] = this.#way;
      const after = led ?? this.#has;
      this.#target = this.#way.at(-1) ?? this.#target;
      this.#way = rest;
      if (this.#hasNothingFor(after)) {
        this.#forgetError(); // what it refused is not wanted any more
        continue;
      }
      const difference = this.#has.differenceTo(after);
      const again = this.#again;
      this.#again = [];
      this.#leave(difference.removed, after);
      this.#has = after;
      const changed = difference.changed.filter(({ name }) => this.isSubscribed(name));
      const sent = new Set(changed);
      const repeated = [...new Set(again)].flatMap((name) => after.find(name) ?? []);
      changed.push(...repeated.filter((one) => !sent.has(one)));
      if (changed.length > 0) return { changed, removed: [] };
      // What it refused is not wanted any more; what it may have of that is taken away first.
      if (led !== undefined && this.#removals.length === 0) this.#forgetError();
    }
    return undefined;
  }

  #forgetError(): void {
    if (this.#doubtful.size === 0) this.#error = undefined;
  }

  /** Most changes are of one type, and all are asked after each. */
  #hasNothingFor(after: ResourceSet): boolean {
    return after === this.#has && this.#again.length === 0 && this.#removals.length === 0;
  }

  #leave(removed: readonly string[], after: ResourceSet): void {
    this.#removals = [...new Set([...this.#removals, ...removed])].filter(
      (name) => after.find(name) === undefined && this.isSubscribed(name),
    );
    const known = new Map(this.#leaving.map((one) => [one.name, one]));
    this.#leaving = this.#removals.flatMap((name) => this.#has.find(name) ?? known.get(name) ?? []);
  }

  /** @returns what is gone, once everything else has been sent */
  nextRemoval(): TypeUpdate | undefined {
    const removed = this.#removals;
    for (const name of removed) {
      // It refused what came with this, and stays with a state that had it.
      if (this.#has.find(name) !== undefined) this.#doubtful.add(name);
    }
    this.#removals = [];
    this.#leaving = [];
    return removed.length === 0 ? undefined : { changed: [], removed };
  }

  /** @param before what the proxy had when the response was made */
  sent(nonce: string, before: ResourceSet, update: TypeUpdate): void {
    this.#sent.set(nonce, { before, after: this.#has, update });
  }

  /** Answers to anything that is not awaited are stale, and change nothing. */
  answer(nonce: string, error: string | undefined): TypeAnswer {
    const sent = this.#sent.get(nonce);
    if (sent === undefined) return { verdict: "stale" };
    this.#sent.delete(nonce);
    if (error === undefined) {
      this.#forgetError();
      return { verdict: "acknowledged" };
    }
    this.#error = error;
    for (const { name } of sent.update.changed) this.#doubtful.add(name);
    for (const name of sent.update.removed) this.#doubtful.add(name);
    if (sent.before !== sent.after && this.#has === sent.after) {
      this.#has = sent.before;
      this.#way = []; // what leads from a state that it did not enter would lead from somewhere else
    }
    return { verdict: "refused", error };
  }
}

function allOf(newest: ResourceSet, held: TypeRequest["held"]): TypeUpdate | undefined {
  const names = Object.keys(held);
  const changed = newest.resources.filter(({ name, version }) => held[name] !== version);
  const removed = names.filter((name) => newest.find(name) === undefined);
  const isCurrent = names.length > 0 && changed.length === 0 && removed.length === 0;
  return isCurrent ? undefined : { changed, removed };
}

/** Of what there is not it is told that, so that it waits no longer. */
function namedOf(
  newest: ResourceSet,
  names: readonly string[],
  held: TypeRequest["held"],
): TypeUpdate | undefined {
  const found = names.map((name) => ({ name, resource: newest.find(name) }));
  const changed = found.flatMap(({ name, resource }) =>
    resource === undefined || held[name] === resource.version ? [] : [resource],
  );
  const removed = found.flatMap(({ name, resource }) => (resource === undefined ? [name] : []));
  return changed.length === 0 && removed.length === 0 ? undefined : { changed, removed };
}
