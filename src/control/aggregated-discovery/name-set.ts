/**
 * Names that a proxy has subscribed to. A thousand proxies ask for the same thousand names: equal sets are one object, and
 * so is each name in them.
 */
import { createHash } from "node:crypto";

const sets = new Map<string, WeakRef<NameSet>>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (sets.get(key)?.deref() === undefined) sets.delete(key);
});

export class NameSet {
  static #none: NameSet | undefined;

  /** Made when it is first asked for: compiled, a class with private names cannot make one of itself while it is being made. */
  static get NONE(): NameSet {
    NameSet.#none ??= new NameSet("", new Set());
    return NameSet.#none;
  }

  readonly #key: string;
  readonly names: ReadonlySet<string>;
  /** Of all names together. */
  readonly characters: number;

  private constructor(key: string, names: ReadonlySet<string>) {
    this.#key = key;
    this.names = names;
    this.characters = charactersOf(names);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  with(added: readonly string[]): NameSet {
    if (added.every((name) => this.has(name))) return this;
    return this.#derive("+", added, () => new Set([...this.names, ...added]));
  }

  without(removed: readonly string[]): NameSet {
    if (!removed.some((name) => this.has(name))) return this;
    const gone = new Set(removed);
    return this.#derive("-", removed, () => {
      return new Set([...this.names].filter((name) => !gone.has(name)));
    });
  }

  /** The key tells how a set came about: those who went the same way share it. */
  #derive(step: string, names: readonly string[], make: () => ReadonlySet<string>): NameSet {
    const hash = createHash("sha256").update(this.#key).update(step);
    for (const name of names) hash.update(name).update("\0");
    const key = hash.digest("base64");
    const known = sets.get(key)?.deref();
    if (known !== undefined) return known;
    const made = new NameSet(key, make());
    sets.set(key, new WeakRef(made));
    forgotten.register(made, key);
    return made;
  }
}

/** How long these names are together. */
export function charactersOf(names: Iterable<string>): number {
  let characters = 0;
  for (const { length } of names) characters += length;
  return characters;
}
