/** How load is spread over the endpoints of a service. */
import { duration } from "../duration.ts";
import {
  choice,
  double,
  flag,
  integer,
  list,
  mapOf,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "../schema.ts";

export const backendUtilization: ObjectSchema = object({
  errorUtilizationPenaltyPercent: uint32(),
  metricNamesForComputingUtilization: list(text()),
  weightExpirationPeriod: text(),
  weightStabilizationPeriod: text(),
  weightUpdatePeriod: text(),
});

export const consistentHash: ObjectSchema = object(
  {
    httpCookie: object(
      {
        attributes: list(object({ name: text(), value: text() }, { required: ["name"] })),
        name: text(),
        path: text(),
        ttl: text(),
      },
      { required: ["name"] },
    ),
    httpHeaderName: text(),
    httpQueryParameterName: text(),
    maglev: object({ tableSize: integer({ min: 0 }) }),
    minimumRingSize: integer({ min: 0 }),
    ringHash: object({ minimumRingSize: integer({ min: 0 }) }),
    useSourceIp: flag(),
  },
  {
    atMostOneOf: [
      ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"],
      ["ringHash", "maglev"],
    ],
  },
);

export const localityLbSetting: ObjectSchema = object({
  distribute: list(object({ from: text(), to: mapOf(uint32()) })),
  enabled: flag({ nullable: true }),
  failover: list(object({ from: text(), to: text() })),
  failoverPriority: list(text()),
});

export const warmup: ObjectSchema = object(
  {
    aggression: double({ min: 0, nullable: true }),
    duration,
    minimumPercent: double({ min: 0, max: 100, nullable: true }),
  },
  { required: ["duration"] },
);

export const zoneAwareLbSetting: ObjectSchema = object({
  enabled: flag({ nullable: true }),
  failover: list(object({ from: text(), to: text() })),
  failoverPriority: list(text()),
  minClusterSize: integer({ min: 1, max: 4294967295, nullable: true }),
});

export const loadBalancer: ObjectSchema = object(
  {
    backendUtilization,
    consistentHash,
    localityLbSetting,
    simple: choice([
      "UNSPECIFIED",
      "LEAST_CONN",
      "RANDOM",
      "PASSTHROUGH",
      "ROUND_ROBIN",
      "LEAST_REQUEST",
    ]),
    warmup,
    warmupDurationSecs: duration,
    zoneAwareLbSetting,
  },
  { atMostOneOf: [["simple", "consistentHash", "backendUtilization"]] },
);
