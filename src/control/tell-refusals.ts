/** Tells whoever runs the mesh what proxies refuse, whenever that is otherwise: however many refuse, once in so long. */
import { isDeepStrictEqual } from "node:util";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type ProxyRefusal, type RefusedResource, refusedResources } from "./refused-resources.ts";
import type { SubscriptionStatus } from "./view-subscriptions.ts";

export interface TellRefusalsOptions {
  /** Of all proxies, as they stand. */
  readonly refusals: () => readonly ProxyRefusal[];
  readonly viewOf: (pod: string) => WorkloadView | undefined;
  /** What an earlier control plane told last. */
  readonly before: readonly RefusedResource[];
  readonly tell: (resources: readonly RefusedResource[]) => void;
}

export const LOOK_EVERY_MS: number = 1_000;
/** A proxy whose stream has ended refuses nothing until it is back: a resource stays told until so many looks in a row miss it. */
export const LOOKS_TO_FORGET: number = 5;
/** After a start: proxies come back one by one, and wait longer between attempts the longer nobody answered. */
export const LOOKS_TO_FORGET_EARLIER: number = 30;

/** What one of our own sidecars refuses: its view is one. */
export function refusedView({
  name: pod,
  nackedError: error,
}: Pick<SubscriptionStatus, "name" | "nackedError">): readonly ProxyRefusal[] {
  return error === undefined ? [] : [{ pod, what: "view", error }];
}

/** @returns ends it */
export function tellRefusals({ refusals, viewOf, before, tell }: TellRefusalsOptions): () => void {
  let seen: readonly ProxyRefusal[] = [];
  let resources: readonly RefusedResource[] = [];
  let told = before;
  /** Looks that each that was told and is missing has left. */
  let left = new Map(before.map((one) => [keyOf(one), LOOKS_TO_FORGET_EARLIER]));
  const look = (): void => {
    const now = refusals();
    if (!isDeepStrictEqual(now, seen)) resources = refusedResources(now, viewOf);
    seen = now;
    const present = new Set(resources.map(keyOf));
    const missing = told
      .filter((one) => !present.has(keyOf(one)))
      .map((one) => ({ one, looks: (left.get(keyOf(one)) ?? LOOKS_TO_FORGET) - 1 }))
      .filter(({ looks }) => looks > 0);
    left = new Map(missing.map(({ one, looks }) => [keyOf(one), looks]));
    const standing = inOrder([...resources, ...missing.map(({ one }) => one)]);
    if (isDeepStrictEqual(standing, told)) return;
    told = standing;
    tell(standing);
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** As `refusedResources` has them. */
function inOrder(resources: readonly RefusedResource[]): readonly RefusedResource[] {
  return resources.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function keyOf({ ref: { kind, namespace, name } }: RefusedResource): string {
  return `${kind}/${namespace}/${name}`;
}
