/**
 * All resources of one type that one proxy is to have. Immutable; what is equal in the sets of several proxies is the same object,
 * so that sets are compared by identity, place by place.
 */
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";

export class ResourceSet {
  readonly resources: readonly EncodedResource[];
  #byName: ReadonlyMap<string, EncodedResource> | undefined;
  readonly #differences: WeakMap<ResourceSet, SetDifference> = new WeakMap();

  constructor(resources: readonly EncodedResource[]) {
    this.resources = resources;
  }

  find(name: string): EncodedResource | undefined {
    this.#byName ??= new Map(this.resources.map((one) => [one.name, one]));
    return this.#byName.get(name);
  }

  /** What whoever has this set must be told to have the next. */
  differenceTo(next: ResourceSet): SetDifference {
    if (next === this) return NONE;
    const known = this.#differences.get(next);
    if (known !== undefined) return known;
    const difference = differenceInPlace(this, next) ?? differenceByName(this, next);
    this.#differences.set(next, difference);
    return difference;
  }
}

export const NO_RESOURCES: ResourceSet = new ResourceSet([]);

export interface SetDifference {
  readonly changed: readonly EncodedResource[];
  /** Names. */
  readonly removed: readonly string[];
}

const NONE: SetDifference = { changed: [], removed: [] };

/** Most changes leave each resource where it stands. @returns undefined where this one does not */
function differenceInPlace(before: ResourceSet, next: ResourceSet): SetDifference | undefined {
  if (before.resources.length !== next.resources.length) return undefined;
  const changed: EncodedResource[] = [];
  for (const [index, resource] of next.resources.entries()) {
    const old = before.resources[index];
    if (old === resource) continue;
    if (old?.name !== resource.name) return undefined;
    if (old.version !== resource.version) changed.push(resource);
  }
  return { changed, removed: [] };
}

function differenceByName(before: ResourceSet, next: ResourceSet): SetDifference {
  return {
    changed: next.resources.filter(({ name, version }) => before.find(name)?.version !== version),
    removed: before.resources.map(({ name }) => name).filter((name) => !next.find(name)),
  };
}
