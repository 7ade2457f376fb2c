/** Sets of fields of an object: who owns what, what has changed. Source: structured-merge-diff v6, fieldpath/set.go. */
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import {
  type FieldPath,
  fieldNameOf,
  type PathElement,
  readElement,
  sortedElements,
} from "./path-element.ts";
import { isNamed, itemStructure, memberStructure, resolved } from "./resolved-structure.ts";

/** Deeper ones are none of an object that anybody has written. */
const MAX_DEPTH = 64;

export class FieldSet {
  readonly #members: ReadonlySet<PathElement>;
  readonly #children: ReadonlyMap<PathElement, FieldSet>;

  private constructor(
    members: ReadonlySet<PathElement>,
    children: ReadonlyMap<PathElement, FieldSet>,
  ) {
    this.#members = members;
    this.#children = children;
  }

  // The compiler (7.0.2) loses the class in the initializer of a static field that makes one of it.
  static #empty: FieldSet | undefined;
  static get empty(): FieldSet {
    FieldSet.#empty ??= new FieldSet(new Set(), new Map());
    return FieldSet.#empty;
  }

  static of(...paths: readonly FieldPath[]): FieldSet {
    return FieldSet.from(paths);
  }

  static from(paths: readonly FieldPath[]): FieldSet {
    const members = new Set<PathElement>();
    const below = new Map<PathElement, FieldPath[]>();
    for (const [first, ...rest] of paths) {
      if (first === undefined) continue;
      if (rest.length === 0) members.add(first);
      else {
        const rests = below.get(first) ?? [];
        below.set(first, rests);
        rests.push(rest);
      }
    }
    const children = [...below].map(([first, rests]) => [first, FieldSet.from(rests)] as const);
    return new FieldSet(members, new Map(children));
  }

  /**
   * @param written FieldsV1: nested maps, `.` for the field itself
   * @returns undefined for what is none
   */
  static read(written: unknown, depth = 0): FieldSet | undefined {
    if (typeof written !== "object" || written === null || depth > MAX_DEPTH) return undefined;
    const members = new Set<PathElement>();
    const children = new Map<PathElement, FieldSet>();
    for (const [text, below] of Object.entries(written)) {
      if (text === ".") continue;
      const element = readElement(text);
      const child = FieldSet.read(below, depth + 1);
      if (child === undefined || element === undefined) return undefined;
      if (element === "unknown") continue;
      if (child.isEmpty || "." in (below as object)) members.add(element);
      if (!child.isEmpty) children.set(element, child);
    }
    return new FieldSet(members, children);
  }

  /** FieldsV1, ordered as Kubernetes orders it. */
  written(): JsonObject {
    const elements = new Set([...this.#members, ...this.#children.keys()]);
    const entries = sortedElements(elements).map((element) => {
      const child = this.#children.get(element);
      if (child === undefined || child.isEmpty) return [element, {}] as const;
      const own = this.#members.has(element) ? { ".": {} } : {};
      return [element, { ...own, ...child.written() }] as const;
    });
    return Object.fromEntries(entries);
  }

  get isEmpty(): boolean {
    if (this.#members.size > 0) return false;
    return [...this.#children.values()].every((child) => child.isEmpty);
  }

  has([first, ...rest]: FieldPath): boolean {
    if (first === undefined) return false;
    if (rest.length === 0) return this.#members.has(first);
    return this.#children.get(first)?.has(rest) ?? false;
  }

  below(element: PathElement): FieldSet {
    return this.#children.get(element) ?? FieldSet.empty;
  }

  /** All that are in it; a field before what is below it. */
  paths(): FieldPath[] {
    const own = sortedElements(this.#members).map((element) => [element]);
    const below = sortedElements(this.#children.keys()).flatMap((element) =>
      this.below(element)
        .paths()
        .map((path) => [element, ...path]),
    );
    return own.concat(below);
  }

  union(other: FieldSet): FieldSet {
    const children = new Map(this.#children);
    for (const [element, child] of other.#children) {
      children.set(element, children.get(element)?.union(child) ?? child);
    }
    return new FieldSet(new Set([...this.#members, ...other.#members]), children);
  }

  intersection(other: FieldSet): FieldSet {
    const members = [...this.#members].filter((element) => other.#members.has(element));
    return this.#with(members, (element, child) => child.intersection(other.below(element)));
  }

  /** A field stays where only what is below it goes, and the other way round. */
  difference(other: FieldSet): FieldSet {
    const members = [...this.#members].filter((element) => !other.#members.has(element));
    return this.#with(members, (element, child) => child.difference(other.below(element)));
  }

  /** With a field goes all that is below it. */
  without(other: FieldSet): FieldSet {
    const members = [...this.#members].filter((element) => !other.#members.has(element));
    return this.#with(members, (element, child) =>
      other.#members.has(element) ? FieldSet.empty : child.without(other.below(element)),
    );
  }

  /** Together with the fields of known names above each field. */
  withNamedFields(structure: Structure): FieldSet {
    const members = new Set(this.#members);
    const children = new Map<PathElement, FieldSet>();
    const here = resolved(structure);
    for (const [element, child] of this.#children) {
      const name = fieldNameOf(element);
      if (name !== undefined && isNamed(here, name)) {
        members.add(element);
      }
      const below = name === undefined ? itemStructure(here) : memberStructure(here, name);
      children.set(element, child.withNamedFields(below));
    }
    return new FieldSet(members, children);
  }

  #with(
    members: readonly PathElement[],
    change: (element: PathElement, child: FieldSet) => FieldSet,
  ): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const [element, child] of this.#children) {
      const changed = change(element, child);
      if (!changed.isEmpty) children.set(element, changed);
    }
    return new FieldSet(new Set(members), children);
  }
}

/** A set in the making. */
export class FieldSetBuilder {
  readonly #paths: FieldPath[] = [];

  add(path: FieldPath): void {
    this.#paths.push(path);
  }

  build(): FieldSet {
    return FieldSet.from(this.#paths);
  }
}
