/** A destination outside the mesh, as a ServiceEntry of `production` describes it. */
import type { ServiceEntryTerms } from "../../src/policy/service-entry-terms.ts";
import type { TlsOrigination } from "../../src/policy/tls-origination.ts";
import type { Destination } from "../../src/policy/workload-view.ts";
import { LOOPBACK } from "./sidecar-fixture.ts";

export const OUTSIDE_HOST = "api.outside.example";

const ORIGIN = {
  ref: { kind: "ServiceEntry", namespace: "production", name: "outside" },
  source: { file: "egress.yaml", line: 1 },
};

export interface OutsideParts
  extends Partial<Pick<Destination, "host" | "servicePort" | "protocol" | "addresses">> {
  /** Of its endpoint on loopback; absent: it has none. */
  readonly port?: number;
  readonly serviceEntry?: Partial<ServiceEntryTerms>;
  readonly tlsOrigination?: TlsOrigination;
}

export function outsideDestination(parts: OutsideParts): Destination {
  const { host = OUTSIDE_HOST, servicePort = 80, protocol = "http" } = parts;
  const { port, addresses, tlsOrigination } = parts;
  return {
    serviceNamespace: "production",
    serviceName: host,
    host,
    servicePort,
    protocol,
    ...(addresses && { addresses }),
    identities: [],
    serverName: `outbound_.${servicePort}_._.${host}`,
    endpoints:
      port === undefined
        ? []
        : [{ workload: "outside-0", address: { address: LOOPBACK, port }, mutualTls: false }],
    serviceEntry: {
      origin: ORIGIN,
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ...parts.serviceEntry,
    },
    ...(tlsOrigination && { tlsOrigination }),
  };
}
