/** From what a policy asks for to what picks. */
import type { LoadBalancing } from "../../policy/effective-traffic-policy.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import { LeastRequest } from "./least-request.ts";
import type { Chance, LoadBalancer } from "./load-balancer.ts";
import { Random } from "./random.ts";
import { RoundRobin } from "./round-robin.ts";

export interface LoadBalancerOptions<T> {
  readonly chance: Chance;
  /** See `ConsistentHashOptions`. */
  readonly ringKeyOf: (endpoint: T) => string;
}

/**
 * PASSTHROUGH asks for the address that the application called. Where that is an endpoint's, nobody comes here; where it
 * is a service's, it leads nowhere but to the sidecar, and calls are spread as usual.
 */
export function chooseLoadBalancer<T>(
  policy: LoadBalancing,
  set: EndpointSet<T>,
  { chance, ringKeyOf }: LoadBalancerOptions<T>,
): LoadBalancer<T> {
  switch (policy.algorithm) {
    case "LEAST_REQUEST":
    case "PASSTHROUGH":
      return new LeastRequest(set, chance);
    case "ROUND_ROBIN":
      return new RoundRobin(set, chance);
    case "RANDOM":
      return new Random(set, chance);
    case "RING_HASH": {
      const { minimumRingSize } = policy;
      return new ConsistentHash(set, { chance, ringKeyOf, minimumRingSize });
    }
  }
}
