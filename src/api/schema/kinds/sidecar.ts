/**
 * The structure of a Sidecar.
 * Source: https://istio.io/latest/docs/reference/config/networking/sidecar/
 */
import { connectionPool } from "../parts/connection-pool.ts";
import { destination } from "../parts/destination.ts";
import { serverTls } from "../parts/tls-settings.ts";
import { networkingSelector } from "../parts/workload-selector.ts";
import { choice, list, type ObjectSchema, object, resource, text, uint32 } from "../schema.ts";

const sidecarPort = object({
  name: text(),
  number: uint32(),
  protocol: text(),
  targetPort: uint32(),
});

const ingressListener = object(
  {
    bind: text(),
    captureMode: choice(["DEFAULT", "IPTABLES", "NONE"]),
    connectionPool,
    defaultEndpoint: text(),
    port: sidecarPort,
    tls: serverTls,
  },
  { required: ["port"] },
);

const egressListener = object(
  {
    bind: text(),
    captureMode: choice(["DEFAULT", "IPTABLES", "NONE"]),
    hosts: list(text()),
    port: sidecarPort,
  },
  { required: ["hosts"] },
);

const spec = object({
  egress: list(egressListener),
  inboundConnectionPool: connectionPool,
  ingress: list(ingressListener),
  outboundTrafficPolicy: object({
    egressProxy: destination,
    mode: choice(["REGISTRY_ONLY", "ALLOW_ANY"]),
  }),
  workloadSelector: networkingSelector,
});

export const sidecarSchema: ObjectSchema = resource(spec, "optional");
