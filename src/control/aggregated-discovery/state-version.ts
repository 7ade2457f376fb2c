/** The version of several resources together, as the state of the world has one. */
import { createHash } from "node:crypto";
import type { EncodedResource } from "../../wire/envoy/encode-resource.ts";

const VERSION_CHARACTERS = 16;
const known = new WeakMap<readonly EncodedResource[], string>();

/** Equal resources in the same order have equal versions, in every process. */
export function stateVersion(resources: readonly EncodedResource[]): string {
  const before = known.get(resources);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  for (const { name, version } of resources) hash.update(name).update("\0").update(version);
  const version = hash.digest("hex").slice(0, VERSION_CHARACTERS);
  known.set(resources, version);
  return version;
}
