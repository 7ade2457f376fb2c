/** One port of one service, for tests that care for where it leads and not for how it is protected. */
import type { SocketAddress } from "../../src/policy/workload.ts";
import type { Destination } from "../../src/policy/workload-view.ts";

export function sampleDestination({
  service,
  port,
  addresses,
  endpoints,
}: {
  /** `namespace/name` */
  readonly service: string;
  readonly port: number;
  readonly addresses?: readonly string[];
  readonly endpoints: readonly SocketAddress[];
}): Destination {
  const [serviceNamespace = "", serviceName = ""] = service.split("/");
  const host = `${serviceName}.${serviceNamespace}.svc.cluster.local`;
  return {
    serviceNamespace,
    serviceName,
    host,
    servicePort: port,
    protocol: "tcp",
    identities: [],
    serverName: `outbound_.${port}_._.${host}`,
    ...(addresses && { addresses }),
    endpoints: endpoints.map((address, index) => ({
      workload: `${serviceName}-${index}`,
      address,
      mutualTls: false,
    })),
  };
}
