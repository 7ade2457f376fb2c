/** How a destination's endpoints are found when it is called: what kind of cluster it makes. */
import type { Destination, DestinationSubset } from "../../policy/workload-view.ts";
import { policyOf } from "./traffic-policy-terms.ts";
import { isWithoutMaterial } from "./upstream-tls.ts";

/** A destination, or what one of its subsets is. */
export type AnyDestination = Destination & Partial<Pick<DestinationSubset, "subset">>;

export type Reach =
  /** The control plane tells them. */
  | "told"
  /** The same; and a caller may mean a certain one, as of a headless service. */
  | "one by one"
  /** Envoy looks names up. */
  | "looked up"
  /** Where the application sent its connection. */
  | "as called"
  /** Nobody. */
  | "never";

export function reachOf(destination: AnyDestination): Reach {
  const { serviceEntry, headless } = destination;
  if (isWithoutMaterial(destination)) return "never";
  if (serviceEntry?.resolution === "NONE" || isPassedThrough(destination)) return "as called";
  if (serviceEntry?.lookUp !== undefined) return "looked up";
  return headless ? "one by one" : "told";
}

/** Where pods share a loopback, an application calls a port of its own machine: that is no place to go on to. */
function isPassedThrough(destination: AnyDestination): boolean {
  const { algorithm } = policyOf(destination).loadBalancing;
  return algorithm === "PASSTHROUGH" && destination.addresses !== undefined;
}
