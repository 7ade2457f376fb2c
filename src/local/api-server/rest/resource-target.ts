/** What of the served resources a path names. Source: Kubernetes' API concepts, "Resource URIs". */
import type { ServedKind } from "../kinds/served-kind.ts";
import { apiVersionOf, type KindIndex } from "./kind-index.ts";

export interface ResourceTarget {
  readonly kind: ServedKind;
  /** In which the client speaks: `apps/v1`. */
  readonly apiVersion: string;
  /** Absent for kinds that live in none, and for all namespaces at once. */
  readonly namespace: string | undefined;
  /** Absent for a whole collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** @returns undefined where nothing is served */
export function resourceTarget(
  kinds: KindIndex,
  path: readonly string[],
): ResourceTarget | undefined {
  const [root, ...parts] = path;
  if (root === "api") return targetIn(kinds, { group: "", version: parts[0] }, parts.slice(1));
  if (root !== "apis" || parts[0] === undefined || parts[0] === "") return undefined;
  return targetIn(kinds, { group: parts[0], version: parts[1] }, parts.slice(2));
}

function targetIn(
  kinds: KindIndex,
  { group, version }: { readonly group: string; readonly version: string | undefined },
  parts: readonly string[],
): ResourceTarget | undefined {
  if (version === undefined || parts.length === 0 || parts.includes("")) return undefined;
  const apiVersion = apiVersionOf(group, version);
  const [first = "", namespace, plural, name, subresource, ...rest] = parts;
  if (first === "namespaces" && plural !== undefined) {
    const kind = kinds.find(group, version, plural);
    if (kind?.namespaced === true && rest.length === 0)
      return { kind, apiVersion, namespace, name, subresource };
  }
  const kind = kinds.find(group, version, first);
  const [, ownName, ownSubresource, ...more] = parts;
  // Of what lives in namespaces, only the collection is reached without one.
  if (kind === undefined || more.length > 0 || (kind.namespaced && ownName !== undefined))
    return undefined;
  return { kind, apiVersion, namespace: undefined, name: ownName, subresource: ownSubresource };
}
