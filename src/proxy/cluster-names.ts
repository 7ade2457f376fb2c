/** Where a connection without a service was sent, as Istio names it in logs and metrics. */

/** In: at a port that nobody declared. */
export const INBOUND_PASSTHROUGH = "InboundPassthroughCluster";
/** Out: to an address that is no destination of the mesh. */
export const PASSTHROUGH = "PassthroughCluster";
/** Nowhere: to such an address, where only destinations of the mesh may be reached. */
export const BLACK_HOLE = "BlackHoleCluster";
