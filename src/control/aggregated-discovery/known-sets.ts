/** Sets of the same resources are one object: what is worked out about a set then serves all proxies that have it. */
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";
import { NO_RESOURCES, ResourceSet } from "./resource-set.ts";

/** Of those that begin alike; older ones are forgotten first. */
const MOST_ALIKE = 16;

export class KnownSets {
  /** By the last resource of each: what is shared stands behind what a proxy has for itself. */
  readonly #byLast: WeakMap<EncodedResource, WeakRef<ResourceSet>[]> = new WeakMap();

  /** @param resources each of them one object wherever it is equal */
  setOf(resources: readonly EncodedResource[]): ResourceSet {
    const last = resources.at(-1);
    if (last === undefined) return NO_RESOURCES;
    const alike = (this.#byLast.get(last) ?? []).filter((one) => one.deref() !== undefined);
    for (const reference of alike) {
      const known = reference.deref();
      if (known !== undefined && areSame(known.resources, resources)) return known;
    }
    const set = new ResourceSet(resources);
    this.#byLast.set(last, [new WeakRef(set), ...alike].slice(0, MOST_ALIKE));
    return set;
  }
}

function areSame(one: readonly EncodedResource[], other: readonly EncodedResource[]): boolean {
  return one.length === other.length && one.every((resource, index) => resource === other[index]);
}
