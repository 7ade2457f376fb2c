/**
 * What proxies refuse, as a condition of the resource that it was made of: `Reconciled` is what Istio calls it when proxies have
 * what a resource says. It is gone when they do.
 */
import type { RefusedResource } from "../../../control/refused-resources.ts";
import { listAt, objectAt, textAt } from "../../api-server/kinds/json-access.ts";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import type { ObjectWriter } from "./object-writer.ts";

const TYPE = "Reconciled";
/** By which our own condition is told from one that somebody else wrote. */
const REASON = "RefusedByProxy";
/** Of the kinds that proxies are told of. */
const GROUPS: readonly string[] = ["istio.io", "gateway.networking.k8s.io", "hauberk.dev"];

export class ShownRefusals {
  readonly #writer: ObjectWriter;
  readonly #kinds: readonly ServedKind[];
  /** Undefined: an earlier process may have left some. */
  #shown: readonly RefusedResource[] | undefined;

  constructor(writer: ObjectWriter) {
    this.#writer = writer;
    this.#kinds = writer.store.kinds.filter(
      ({ group, subresources }) =>
        subresources.includes("status") &&
        GROUPS.some((one) => group === one || group.endsWith(`.${one}`)),
    );
  }

  show(refused: readonly RefusedResource[]): void {
    for (const { ref, message } of refused)
      for (const object of this.objectsOf(ref)) this.#write(object, message);
    const still = new Set(refused.map(({ ref }) => keyOf(ref)));
    for (const object of this.#marked())
      if (!still.has(keyOf(refOf(object)))) this.#write(object, undefined);
    this.#shown = refused;
  }

  #marked(): readonly KubernetesObject[] {
    if (this.#shown !== undefined) return this.#shown.flatMap(({ ref }) => this.objectsOf(ref));
    return this.#kinds
      .flatMap((kind) => this.#writer.store.list(kind))
      .filter((object) => listAt(object, "status", "conditions").some(isOurs));
  }

  /** One at most, but where two groups have a kind of one name. */
  objectsOf({
    kind: called,
    namespace,
    name,
  }: RefusedResource["ref"]): readonly KubernetesObject[] {
    return this.#kinds
      .filter(({ kind }) => kind === called)
      .flatMap((kind) => this.#writer.store.get({ kind, namespace, name }) ?? []);
  }

  #write(object: KubernetesObject, message: string | undefined): void {
    const status = objectAt(object, "status");
    const conditions = listAt(object, "status", "conditions");
    const before = conditions.find(isOurs);
    if (message === undefined && before === undefined) return;
    const others = conditions.filter((one) => textAt(one, "type") !== TYPE);
    const own = message === undefined ? [] : [this.#condition(message, before)];
    const kept = message === undefined ? conditions.filter((one) => !isOurs(one)) : others;
    this.#writer.showStatus(object, { ...status, conditions: [...kept, ...own] });
  }

  #condition(message: string, before: JsonValue | undefined): JsonObject {
    const since = before === undefined ? "" : textAt(before, "lastTransitionTime");
    return {
      type: TYPE,
      status: "False",
      reason: REASON,
      message,
      lastTransitionTime: since === "" ? timestamp(this.#writer.store.clock) : since,
    };
  }
}

function isOurs(condition: JsonValue): boolean {
  return textAt(condition, "type") === TYPE && textAt(condition, "reason") === REASON;
}

function refOf({ kind, metadata }: KubernetesObject): RefusedResource["ref"] {
  return { kind, namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

function keyOf({ kind, namespace, name }: RefusedResource["ref"]): string {
  return `${kind}/${namespace}/${name}`;
}
