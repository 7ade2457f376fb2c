/**
 * The structure of a WorkloadGroup.
 * Source: https://istio.io/latest/docs/reference/config/networking/workload-group/
 */

import { SOCKET_WITHOUT_PORTS } from "../network-rules.ts";
import { workloadAddress, workloadPorts } from "../parts/workload-entry.ts";
import { PORT, PROBE_SCHEME } from "../rules.ts";
import {
  int32,
  list,
  mapOf,
  type ObjectSchema,
  object,
  resource,
  text,
  uint32,
} from "../schema.ts";

const probe = object(
  {
    exec: object({ command: list(text({ minLength: 1 })) }, { required: ["command"] }),
    failureThreshold: int32({ min: 0 }),
    grpc: object({ port: uint32({ rules: [PORT] }), service: text() }),
    httpGet: object(
      {
        host: text(),
        httpHeaders: list(object({ name: text({ pattern: /^[-_A-Za-z0-9]+$/ }), value: text() })),
        path: text(),
        port: uint32({ rules: [PORT] }),
        scheme: text({ rules: [PROBE_SCHEME] }),
      },
      { required: ["port"] },
    ),
    initialDelaySeconds: int32({ min: 0 }),
    periodSeconds: int32({ min: 0 }),
    successThreshold: int32({ min: 0 }),
    tcpSocket: object({ host: text(), port: uint32({ rules: [PORT] }) }, { required: ["port"] }),
    timeoutSeconds: int32({ min: 0 }),
  },
  { atMostOneOf: [["httpGet", "tcpSocket", "exec", "grpc"]] },
);

const workloadTemplate = object(
  {
    address: workloadAddress,
    labels: mapOf(text(), { maxProperties: 256 }),
    locality: text({ maxLength: 2048 }),
    network: text({ maxLength: 2048 }),
    ports: workloadPorts,
    serviceAccount: text({ maxLength: 253 }),
    weight: uint32(),
  },
  { rules: [SOCKET_WITHOUT_PORTS] },
);

const spec = object(
  {
    metadata: object({
      annotations: mapOf(text(), { maxProperties: 256 }),
      labels: mapOf(text(), { maxProperties: 256 }),
    }),
    probe,
    template: workloadTemplate,
  },
  { required: ["template"] },
);

export const workloadGroupSchema: ObjectSchema = resource(spec, "required");
