/** Limits of the connections to a service. */
import { duration } from "../duration.ts";
import { choice, flag, int32, type ObjectSchema, object, text, uint32 } from "../schema.ts";

export const httpPool: ObjectSchema = object({
  h2UpgradePolicy: choice(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]),
  http1MaxPendingRequests: int32(),
  http2KeepAlive: object({ interval: duration, timeout: duration }),
  http2MaxRequests: int32(),
  idleTimeout: duration,
  maxConcurrentStreams: int32(),
  maxRequestsPerConnection: int32(),
  maxRetries: int32(),
  useClientProtocol: flag(),
});

export const tcpPool: ObjectSchema = object({
  connectTimeout: duration,
  idleTimeout: text(),
  maxConnectionDuration: duration,
  maxConnections: int32(),
  tcpKeepalive: object({ interval: duration, probes: uint32(), time: duration }),
});

export const connectionPool: ObjectSchema = object({ http: httpPool, tcp: tcpPool });
