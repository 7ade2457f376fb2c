/** One workload outside Kubernetes: a WorkloadEntry, or an endpoint of a ServiceEntry. */
import {
  ADDRESS_OR_NETWORK,
  SOCKET_IS_NO_FOLDER,
  SOCKET_PATH,
  SOCKET_WITHOUT_PORTS,
} from "../network-rules.ts";
import { PORT, PORT_NAME } from "../rules.ts";
import {
  type MapSchema,
  mapOf,
  type ObjectSchema,
  object,
  type TextSchema,
  text,
  uint32,
} from "../schema.ts";

export const workloadAddress: TextSchema = text({
  maxLength: 256,
  rules: [SOCKET_PATH, SOCKET_IS_NO_FOLDER],
});

export const workloadPorts: MapSchema = mapOf(uint32({ rules: [PORT] }), {
  maxProperties: 128,
  keys: [PORT_NAME],
});

export const workloadEntrySpec: ObjectSchema = object(
  {
    address: workloadAddress,
    labels: mapOf(text(), { maxProperties: 256 }),
    locality: text({ maxLength: 2048 }),
    network: text({ maxLength: 2048 }),
    ports: workloadPorts,
    serviceAccount: text({ maxLength: 253 }),
    weight: uint32(),
  },
  { rules: [ADDRESS_OR_NETWORK, SOCKET_WITHOUT_PORTS] },
);
