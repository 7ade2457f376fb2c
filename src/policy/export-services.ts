/** What this mesh tells others of its services: all of them, and nothing that it was told itself. Pure. */
import { acceptedIdentities } from "./accepted-identities.ts";
import { buildEndpoints } from "./destinations.ts";
import type { ExportedService } from "./exported-services.ts";
import type { MeshSnapshot, SelectedWorkloads } from "./mesh-snapshot.ts";

/** By namespace, then name; endpoints are those that callers of this mesh use too. */
export function exportServices(snapshot: MeshSnapshot): readonly ExportedService[] {
  return snapshot.services.map((selected) => exportService(snapshot, selected));
}

function exportService(snapshot: MeshSnapshot, selected: SelectedWorkloads): ExportedService {
  const { meta, ports } = selected.service;
  const { trustDomain } = snapshot.settings;
  return {
    namespace: meta.namespace,
    name: meta.name,
    identities: acceptedIdentities({ trustDomain, trustDomainAliases: [] }, selected.workloads),
    ports: ports.map((port) => ({
      port: port.port,
      protocol: port.protocol,
      endpoints: buildEndpoints(snapshot, { selected, port, endpoints: "ready" }).map(
        ({ workload, address, mutualTls }) => ({ workload, address, mutualTls }),
      ),
    })),
  };
}
