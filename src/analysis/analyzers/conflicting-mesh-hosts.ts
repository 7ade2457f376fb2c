/** VirtualServices of the mesh itself that say where one host's traffic goes: only one of them counts. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";
import { exportScopes, fullHost, hostsMeet } from "../hosts.ts";

interface Claim {
  readonly scope: string;
  readonly host: string;
  readonly services: AnalyzedObject[];
}

export const conflictingMeshHosts: Analyzer = {
  name: "virtualservice.ConflictingMeshGatewayHostsAnalyzer",
  about: "VirtualServices that route the same host inside the mesh",
  *analyze(mesh) {
    const claims = claimsOf(mesh.of("VirtualService").filter(isOfMesh));
    const told = new Set<AnalyzedObject>();
    for (const { scope, host, services } of claims) {
      const everywhere = scope === "*" ? [] : claims.filter((one) => one.scope === "*");
      const met = everywhere.filter((one) => hostsMeet(host, one.host));
      const all = [...services, ...met.flatMap((one) => one.services)];
      if (all.length < 2) continue;
      const names = all.map(({ namespace, name }) => `${namespace}/${name}`).sort();
      for (const service of all) {
        if (told.has(service)) continue;
        told.add(service);
        const values = [names.join(","), `${scope}/${host}`];
        yield finding(service, "IST0109", values, service.spec.at("hosts"));
      }
    }
  },
};

function isOfMesh({ spec }: AnalyzedObject): boolean {
  const gateways = spec.at("gateways").texts;
  return gateways.length === 0 || gateways.includes("mesh");
}

function claimsOf(services: readonly AnalyzedObject[]): readonly Claim[] {
  const claims = new Map<string, Claim>();
  for (const service of services)
    for (const scope of exportScopes(service.spec.at("exportTo").texts, service.namespace))
      for (const written of service.spec.at("hosts").texts) {
        const host = fullHost(service.namespace, written);
        const claim = claims.get(`${scope}/${host}`) ?? { scope, host, services: [] };
        claim.services.push(service);
        claims.set(`${scope}/${host}`, claim);
      }
  return [...claims.values()];
}
