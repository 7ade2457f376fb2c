/** NetworkPolicy as the caller's side enforces it: an endpoint that may not be reached is not dialled. */
import type { ResourceRef } from "../api/resource.ts";
import type { Decision } from "../policy/decision.ts";
import type { Destination } from "../policy/workload-view.ts";

export type Reach =
  /** With those endpoints that may be called; there may be none, when none is ready. */
  | { readonly destination: Destination }
  /** There are endpoints, and NetworkPolicies keep us from every one. */
  | { readonly refused: Decision; readonly policies: readonly ResourceRef[] };

export function reachable(destination: Destination): Reach {
  const { endpoints } = destination;
  const open = endpoints.filter(({ refusedBy }) => refusedBy === undefined);
  if (open.length === endpoints.length) return { destination };
  const refusal = endpoints.find(({ refusedBy }) => refusedBy !== undefined)?.refusedBy;
  if (open.length > 0 || refusal === undefined) {
    return { destination: { ...destination, endpoints: open } };
  }
  const { direction, policies } = refusal;
  return {
    refused: { verdict: "deny", reason: { because: "network-policy", direction, policies } },
    policies,
  };
}
