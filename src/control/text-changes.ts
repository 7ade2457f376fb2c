/** What changed among texts, so that a large mesh is not told anew for each small change. */
import type { WrittenText } from "./written-texts.ts";

export interface TextChanges {
  /** New ones, and those that are no longer what they were. */
  readonly changed: readonly WrittenText[];
  /** Files whose texts are gone. */
  readonly removed: readonly string[];
}

export function textChanges(
  before: readonly WrittenText[],
  now: readonly WrittenText[],
): TextChanges {
  const known = new Map(before.map((one) => [one.file, one]));
  const changed = now.filter((one) => !isSame(one, known.get(one.file)));
  const files = new Set(now.map(({ file }) => file));
  const removed = before.map(({ file }) => file).filter((file) => !files.has(file));
  return { changed, removed };
}

/** New texts come last. */
export function withChanges(
  before: readonly WrittenText[],
  { changed, removed }: TextChanges,
): readonly WrittenText[] {
  const texts = new Map(before.map((one) => [one.file, one]));
  for (const file of removed) texts.delete(file);
  for (const one of changed) texts.set(one.file, one);
  return [...texts.values()];
}

function isSame(one: WrittenText, other: WrittenText | undefined): boolean {
  if (other === undefined || one.text !== other.text || one.folder !== other.folder) return false;
  const [aside, otherAside] = [one.setAside ?? [], other.setAside ?? []];
  return (
    aside.length === otherAside.length &&
    aside.every((reference, index) => reference === otherAside[index])
  );
}
