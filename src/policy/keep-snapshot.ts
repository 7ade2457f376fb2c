/** A snapshot whose parts are those of the one before wherever the same resources are in them. */
import { keepEqual } from "./keep-equal.ts";
import type { MeshSnapshot, SelectedWorkloads } from "./mesh-snapshot.ts";

/** What one snapshot has in a field, and what the next has there: the same object exactly where nothing in it changed. */
export function keepSnapshot(before: MeshSnapshot, next: MeshSnapshot): MeshSnapshot {
  const services = keepServices(before.services, next.services);
  const selected = new Map(services.map((one) => [one.service, one]));
  const servicesByNamespace = new Map(
    [...next.servicesByNamespace].map(([namespace, list]) => [
      namespace,
      list.map((one) => selected.get(one.service) ?? one),
    ]),
  );
  const fields = Object.entries({ ...next, services, servicesByNamespace }).map(
    ([field, value]) => [field, keepField(before[field as keyof MeshSnapshot], value)],
  );
  return Object.fromEntries(fields) as MeshSnapshot;
}

function keepServices(
  before: readonly SelectedWorkloads[],
  next: readonly SelectedWorkloads[],
): readonly SelectedWorkloads[] {
  const known = new Map(before.map((one) => [one.service, one]));
  return next.map((one) => {
    const old = known.get(one.service);
    return old !== undefined && haveSameItems(old.workloads, one.workloads) ? old : one;
  });
}

function keepField(before: unknown, next: unknown): unknown {
  if (before instanceof Map && next instanceof Map) return keepMap(before, next);
  if (Array.isArray(before) && Array.isArray(next))
    return haveSameItems(before, next) ? before : next;
  return keepEqual(before, next);
}

function keepMap(
  before: ReadonlyMap<unknown, unknown>,
  next: ReadonlyMap<unknown, unknown>,
): ReadonlyMap<unknown, unknown> {
  const kept = new Map([...next].map(([key, value]) => [key, keepField(before.get(key), value)]));
  const isSame =
    haveSameItems([...before.keys()], [...kept.keys()]) &&
    haveSameItems([...before.values()], [...kept.values()]);
  return isSame ? before : kept;
}

function haveSameItems(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
