/**
 * The limits of one destination, all its endpoints together, as Envoy's circuit breakers have them: what is beyond is not
 * tried. The caller hears of it at once: 503 with `x-envoy-overloaded: true` for a request, a closed connection for
 * TCP, and the response flag UO in the log. A retry that may not be made leaves the caller with the response there is.
 * Source: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
 */
import { LimitedResource } from "./limited-resource.ts";

export interface CircuitBreakerLimits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

export class CircuitBreaker {
  /**
   * Held from before dialling until the socket is closed. For TCP, no more is UO. For HTTP, a request for which no
   * further connection may be made waits (`pendingRequests`) for one that is there; an endpoint that has none is given
   * one beyond the limit, as nobody else's connection would ever serve it.
   */
  readonly connections: LimitedResource;
  /** Held while a request waits for a connection. */
  readonly pendingRequests: LimitedResource;
  /**
   * Held from the pick until the response has ended; in Envoy from the moment a request has its connection, so that those
   * that wait for one do not count there.
   */
  readonly requests: LimitedResource;
  /** Held from the decision to try again until that try has ended. */
  readonly retries: LimitedResource;

  constructor(limits: CircuitBreakerLimits) {
    this.connections = new LimitedResource(limits.maxConnections);
    this.pendingRequests = new LimitedResource(limits.maxPendingRequests);
    this.requests = new LimitedResource(limits.maxRequests);
    this.retries = new LimitedResource(limits.maxRetries);
  }

  /** Other limits from now on; what is in use stays so. */
  configure(limits: CircuitBreakerLimits): void {
    this.connections.limit = limits.maxConnections;
    this.pendingRequests.limit = limits.maxPendingRequests;
    this.requests.limit = limits.maxRequests;
    this.retries.limit = limits.maxRetries;
  }
}
