/** Finds kinds as paths name them. */
import type { ServedKind } from "../kinds/served-kind.ts";

export class KindIndex {
  readonly kinds: readonly ServedKind[];
  readonly #byPlural: ReadonlyMap<string, ServedKind>;

  constructor(kinds: readonly ServedKind[]) {
    this.kinds = kinds;
    this.#byPlural = new Map(kinds.map((kind) => [`${kind.group}/${kind.plural}`, kind]));
  }

  /** @returns undefined for a resource that is not served, or not in that version */
  find(group: string, version: string, plural: string): ServedKind | undefined {
    const kind = this.#byPlural.get(`${group}/${plural}`);
    return kind?.versions.includes(version) === true ? kind : undefined;
  }

  /** Of all groups but the core one, in the order they are served. */
  get groups(): readonly string[] {
    return [...new Set(this.kinds.map(({ group }) => group))].filter((group) => group !== "");
  }

  /** Of a group, the preferred one first. */
  versionsOf(group: string): readonly string[] {
    const served = this.kinds.filter((kind) => kind.group === group);
    return [...new Set(served.flatMap(({ versions }) => versions))].sort(byMaturity);
  }

  kindsOf(group: string, version: string): readonly ServedKind[] {
    return this.kinds.filter((kind) => kind.group === group && kind.versions.includes(version));
  }
}

/** `v1` before `v1beta1` before `v1alpha3`. Source: apimachinery `version.CompareKubeAwareVersionStrings`. */
function byMaturity(one: string, other: string): number {
  const [a, b] = [maturityOf(one), maturityOf(other)];
  for (const [index, value] of a.entries()) {
    const difference = (b[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return one < other ? -1 : 1;
}

function maturityOf(version: string): readonly number[] {
  const [, major = "0", level, minor = "0"] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  const rank = level === undefined ? 2 : level === "beta" ? 1 : 0;
  return [rank, Number(major), Number(minor)];
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}
