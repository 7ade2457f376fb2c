/**
 * Which authorities were trusted once, and are no more: whoever comes with their certificate is refused by TLS; streams
 * that stand already end by this.
 */
import type { AuthorityRing } from "../ca/rotation.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

/** @returns subject key identifiers, of those that left since the start */
export function distrustedAuthorities(
  ring: Pick<AuthorityRing, "trust" | "status">,
): Watched<ReadonlySet<string>> {
  const distrusted = new WatchedValue<ReadonlySet<string>>(new Set());
  const keys = (): ReadonlySet<string> =>
    new Set(ring.status().map(({ keyIdentifier }) => keyIdentifier));
  let before = { roots: ring.trust.current.rootsPem, keys: keys() };
  ring.trust.onChange(({ rootsPem: roots }) => {
    const now = { roots, keys: keys() };
    const lost = before.roots.some((root) => !roots.includes(root));
    const gone = [...distrusted.current, ...(lost ? before.keys : [])].filter(
      (key) => !now.keys.has(key),
    );
    before = { roots, keys: new Set([...(lost ? [] : before.keys), ...now.keys]) };
    if (gone.length > 0 || distrusted.current.size > 0) distrusted.set(new Set(gone));
  });
  return distrusted;
}
