/** Tells whoever runs the mesh what proxies refuse, whenever that is otherwise: however many refuse, once in so long. */
import { isDeepStrictEqual } from "node:util";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type ProxyRefusal, type RefusedResource, refusedResources } from "./refused-resources.ts";
import type { SubscriptionStatus } from "./view-subscriptions.ts";

export interface TellRefusalsOptions {
  /** Of all proxies, as they stand. */
  readonly refusals: () => readonly ProxyRefusal[];
  readonly viewOf: (pod: string) => WorkloadView | undefined;
  readonly tell: (resources: readonly RefusedResource[]) => void;
}

const LOOK_EVERY_MS = 1_000;

/** What one of our own sidecars refuses: its view is one. */
export function refusedView({
  name: pod,
  nackedError: error,
}: Pick<SubscriptionStatus, "name" | "nackedError">): readonly ProxyRefusal[] {
  return error === undefined ? [] : [{ pod, what: "view", error }];
}

/** @returns ends it */
export function tellRefusals({ refusals, viewOf, tell }: TellRefusalsOptions): () => void {
  let seen: readonly ProxyRefusal[] = [];
  let told: readonly RefusedResource[] = [];
  const look = (): void => {
    const now = refusals();
    if (isDeepStrictEqual(now, seen)) return;
    seen = now;
    const resources = refusedResources(now, viewOf);
    if (isDeepStrictEqual(resources, told)) return;
    told = resources;
    tell(resources);
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}
