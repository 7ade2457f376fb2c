/**
 * The rate limits that apply to one workload: those of the root namespace, then those of its own, in each the oldest
 * resource first, and of a resource in the order in which they are written.
 */
import { selects } from "../api/label-selector.ts";
import type { Limit } from "../api/rate-limit.ts";
import type { ResourceRef, SourceLocation } from "../api/resource.ts";
import { type MeshSnapshot, ofScope } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

/** A limit, and where it was written. All that apply must have room. */
export interface AppliedRateLimit extends Omit<Limit, "line"> {
  /** The RateLimit. */
  readonly ref: ResourceRef;
  /** Of the limit itself. */
  readonly source: SourceLocation;
}

export function appliedRateLimits(
  { rateLimits, settings: { rootNamespace } }: Pick<MeshSnapshot, "rateLimits" | "settings">,
  { namespace, labels }: Pick<Workload, "namespace" | "labels">,
): readonly AppliedRateLimit[] {
  return ofScope(rateLimits, { rootNamespace, namespace })
    .filter(({ selector }) => selects(selector, labels))
    .flatMap(({ kind, meta, limits }) =>
      limits.map(({ line, ...limit }) => ({
        ref: { kind, namespace: meta.namespace, name: meta.name },
        source: { file: meta.source.file, line },
        ...limit,
      })),
    );
}

/** `shop/checkout/per-caller`: what a limit is called in the whole mesh. */
export function rateLimitId({ ref, name }: Pick<AppliedRateLimit, "ref" | "name">): string {
  return `${ref.namespace}/${ref.name}/${name}`;
}
