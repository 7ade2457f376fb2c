/**
 * One proxy's side of a discovery stream, over all types: which change is sent when. Without IO. What a proxy asks for is
 * answered at once; what changes is sent type by type, the next once the last is answered, and what is gone comes last, when
 * nothing leans on it any more.
 */
import type { ProxyResources } from "./encoded-resources.ts";
import { NO_RESOURCES, type ResourceSet } from "./resource-set.ts";
import { RESOURCE_TYPES, type ResourceType } from "./resource-types.ts";
import {
  type TypeAnswer,
  type TypeRequest,
  TypeSubscription,
  type TypeUpdate,
} from "./type-subscription.ts";

export interface ProxyResponse extends TypeUpdate {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly subscription: TypeSubscription;
}

/** The states of authorization that lead from one to another: none of them admits what both refuse. Last comes `next`. */
export type AuthorizationWay = (has: ResourceSet, next: ResourceSet) => readonly ResourceSet[];

export class ProxyConversation {
  /** In the order in which changes are sent. */
  readonly subscriptions: readonly TypeSubscription[];
  readonly #types: ReadonlyMap<ResourceType, TypeSubscription>;
  readonly #authorizationWay: AuthorizationWay;
  #resources: ProxyResources | undefined;
  #nonces = 0;

  constructor(authorizationWay: AuthorizationWay) {
    this.#authorizationWay = authorizationWay;
    this.subscriptions = RESOURCE_TYPES.map((type) => new TypeSubscription(type));
    this.#types = new Map(this.subscriptions.map((one) => [one.type, one]));
  }

  get resources(): ProxyResources | undefined {
    return this.#resources;
  }

  get isAwaitingAnswer(): boolean {
    return this.subscriptions.some(({ isAwaitingAnswer }) => isAwaitingAnswer);
  }

  /** Whether the proxy has all it was to have of what it asked for, and has said so. */
  get isSettled(): boolean {
    return this.subscriptions.every(({ isSettled }) => isSettled);
  }

  get isOverrun(): boolean {
    return this.subscriptions.some(({ isOverrun }) => isOverrun);
  }

  /** Of all types together. */
  get nameCharacters(): number {
    return this.subscriptions.reduce((sum, { nameCharacters }) => sum + nameCharacters, 0);
  }

  of(type: ResourceType): TypeSubscription {
    const known = this.#types.get(type);
    if (known === undefined) throw new RangeError(`${type.typeUrl} is not served`);
    return known;
  }

  /** What the proxy is to have from now on; sent by `next`. */
  set(resources: ProxyResources): void {
    this.#resources = resources;
    for (const subscription of this.subscriptions) {
      if (subscription.isAsked) this.#lead(subscription, resources);
    }
  }

  #lead(subscription: TypeSubscription, { encoded }: ProxyResources): void {
    const { type, has } = subscription;
    const newest = encoded[type.kind];
    const way = type.kind === "extensionConfigs" ? this.#authorizationWay(has, newest) : [newest];
    subscription.lead(way.length > 0 ? way : [newest]); // where it is already, a refusal is over
  }

  /** @returns what is asked for; undefined: nothing, or it is not known yet what there is */
  take(type: ResourceType, request: TypeRequest): ProxyResponse | undefined {
    const subscription = this.of(type);
    const newest = this.#resources?.encoded[type.kind] ?? NO_RESOURCES;
    const before = subscription.has;
    return this.#respond(subscription, before, subscription.take(request, newest));
  }

  /** What is refused is not sent again before something changes; what has changed meanwhile is sent now. */
  answer(type: ResourceType, nonce: string, error: string | undefined): TypeAnswer {
    const subscription = this.of(type);
    const answer = subscription.answer(nonce, error);
    const resources = this.#resources;
    if (answer.verdict !== "refused" || resources === undefined) return answer;
    if (resources.encoded[type.kind] !== subscription.target) this.#lead(subscription, resources);
    return answer;
  }

  /** @returns the next response to changes; undefined: there is none now */
  next(): ProxyResponse | undefined {
    for (const subscription of this.subscriptions) {
      if (subscription.isAwaitingAnswer) return undefined;
      const before = subscription.has;
      const update = subscription.next();
      if (update === undefined) continue;
      this.#repeatEndpoints(subscription.type, update);
      return this.#respond(subscription, before, update);
    }
    for (const subscription of this.subscriptions) {
      const update = subscription.nextRemoval();
      if (update !== undefined) return this.#respond(subscription, subscription.has, update);
    }
    return undefined;
  }

  /** A cluster that changes waits for its endpoints, which the proxy does not ask for again. */
  #repeatEndpoints(type: ResourceType, { changed }: TypeUpdate): void {
    if (type.kind !== "clusters") return;
    for (const other of this.subscriptions) {
      if (other.type.kind === "endpoints") other.sendAgain(changed.map(({ name }) => name));
    }
  }

  #respond(
    subscription: TypeSubscription,
    before: ResourceSet,
    update: TypeUpdate | undefined,
  ): ProxyResponse | undefined {
    if (update === undefined) return undefined;
    this.#nonces++;
    const nonce = String(this.#nonces);
    subscription.sent(nonce, before, update);
    return { ...update, type: subscription.type, nonce, subscription };
  }
}
