/** Reads the part of a view that says how calls to a destination are spread and limited. */
import { type LoadBalancing, UNLIMITED } from "../policy/effective-traffic-policy.ts";
import type { AppliedTrafficPolicy } from "../policy/workload-view.ts";
import {
  choice,
  type Decoder,
  integer,
  list,
  object,
  objectWith,
  section,
  text,
  unexpected,
} from "./view-fields.ts";

/** At least one: what is 0 is absent. */
const limit = integer(1, UNLIMITED);
const milliseconds = integer(1, Number.MAX_SAFE_INTEGER);
const perhapsNoTime = integer(0, Number.MAX_SAFE_INTEGER);
const percent = integer(0, 100);

const named = object({ from: choice(["header", "query-parameter"]), name: text });
const unnamed = object({ from: choice(["source-ip", "nothing"]) });
const cookie = objectWith(
  {
    from: choice(["cookie"]),
    name: text,
    path: text,
    attributes: list(object({ name: text, value: text })),
  },
  { ttlSeconds: perhapsNoTime },
);

type HashKey = Extract<LoadBalancing, { algorithm: "RING_HASH" }>["key"];

const hashKey: Decoder<HashKey> = (value, path) => {
  switch (section(value, path)["from"]) {
    case "header":
    case "query-parameter":
      return named(value, path);
    case "cookie":
      return cookie(value, path);
    case "source-ip":
    case "nothing":
      return unnamed(value, path);
  }
  throw unexpected(path, "what calls are hashed by");
};

const simple = object({
  algorithm: choice(["LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH"]),
});
const ringHash = object({
  algorithm: choice(["RING_HASH"]),
  key: hashKey,
  // A number of 64 bits may be written.
  minimumRingSize: integer(1, Number.MAX_VALUE),
});

const loadBalancing: Decoder<LoadBalancing> = (value, path) =>
  section(value, path)["algorithm"] === "RING_HASH" ? ringHash(value, path) : simple(value, path);

const connectionPool = objectWith(
  {
    maxConnections: limit,
    maxPendingRequests: limit,
    maxRequests: limit,
    maxRetries: limit,
    connectTimeoutMs: milliseconds,
    httpVersion: choice(["declared", "HTTP/2", "client's"]),
  },
  {
    maxRequestsPerConnection: limit,
    httpIdleTimeoutMs: milliseconds,
    httpMaxConnectionDurationMs: milliseconds,
    tcpIdleTimeoutMs: milliseconds,
    tcpMaxConnectionDurationMs: milliseconds,
    tcpKeepalive: objectWith({}, { idleSeconds: limit }),
  },
);

const outlierDetection = objectWith(
  {
    localOriginFailures: choice(["counted apart", "gateway errors"]),
    intervalMs: milliseconds,
    baseEjectionTimeMs: milliseconds,
    maxEjectionTimeMs: milliseconds,
    maxEjectionPercent: percent,
    minHealthPercent: percent,
  },
  {
    consecutive5xxErrors: limit,
    consecutiveGatewayErrors: limit,
    consecutiveLocalOriginFailures: limit,
  },
);

/** @param origin reads the rule that it is of */
export function appliedTrafficPolicy(
  origin: Decoder<AppliedTrafficPolicy["origin"]>,
): Decoder<AppliedTrafficPolicy> {
  return objectWith({ loadBalancing, connectionPool, origin }, { outlierDetection });
}
