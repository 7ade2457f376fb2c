/** How connections to a service are made, as DestinationRule has it for a host, a subset and a port. */

import { duration } from "../duration.ts";
import {
  choice,
  double,
  flag,
  int32,
  integer,
  type ListSchema,
  list,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "../schema.ts";
import { connectionPool } from "./connection-pool.ts";
import { loadBalancer } from "./load-balancer.ts";
import { clientTls } from "./tls-settings.ts";

export const outlierDetection: ObjectSchema = object({
  baseEjectionTime: duration,
  consecutive5xxErrors: uint32({ nullable: true }),
  consecutiveErrors: int32(),
  consecutiveGatewayErrors: uint32({ nullable: true }),
  consecutiveLocalOriginFailures: uint32({ nullable: true }),
  interval: duration,
  maxEjectionPercent: int32(),
  minHealthPercent: int32(),
  outlierDetectionHttpErrorCodes: list(integer({ min: 100, max: 599 })),
  splitExternalLocalOriginErrors: flag(),
});

export const portLevelSettings: ListSchema = list(
  object({
    connectionPool,
    loadBalancer,
    outlierDetection,
    port: object({ number: uint32() }),
    tls: clientTls,
  }),
  { maxItems: 4096 },
);

export const trafficPolicy: ObjectSchema = object({
  connectionPool,
  loadBalancer,
  outlierDetection,
  portLevelSettings,
  proxyProtocol: object({ version: choice(["V1", "V2"]) }),
  retryBudget: object({
    budgetInterval: text(),
    minRetryConcurrency: uint32(),
    percent: double({ min: 0, max: 100, nullable: true }),
  }),
  tls: clientTls,
  tunnel: object(
    { protocol: text(), targetHost: text(), targetPort: uint32() },
    { required: ["targetHost", "targetPort"] },
  ),
});
