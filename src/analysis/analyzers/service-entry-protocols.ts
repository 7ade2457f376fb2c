/** ServiceEntries that say different protocols of one host and port. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";
import { exportScopes } from "../hosts.ts";

interface Said {
  readonly entry: AnalyzedObject;
  readonly protocol: string;
}

export const serviceEntryProtocols: Analyzer = {
  name: "serviceentry.ConflictingServiceEntryProtocolAnalyzer",
  about: "ServiceEntries that disagree about the protocol of a port",
  *analyze(mesh) {
    const said = new Map<string, Said[]>();
    for (const entry of mesh.of("ServiceEntry"))
      for (const scope of exportScopes(entry.spec.at("exportTo").texts, entry.namespace))
        for (const host of entry.spec.at("hosts").texts)
          for (const port of entry.spec.at("ports").items) {
            const key = `${scope} ${host} ${port.at("number").text}`;
            const protocol = port.at("protocol").text.toUpperCase();
            said.set(key, [...(said.get(key) ?? []), { entry, protocol }]);
          }
    const told = new Set<AnalyzedObject>();
    for (const [key, here] of said) {
      const [scope, host = "", port = ""] = key.split(" ");
      const everywhere = scope === "*" ? [] : (said.get(`* ${host} ${port}`) ?? []);
      const all = [...here, ...everywhere];
      const protocols = [...new Set(all.map(({ protocol }) => protocol))].sort();
      if (protocols.length < 2) continue;
      const names = [...new Set(all.map(({ entry }) => `${entry.namespace}/${entry.name}`))].sort();
      const values = [names.join(", "), host, port, protocols.join(", ")];
      for (const { entry } of all) {
        if (!told.has(entry)) yield finding(entry, "IST0177", values, entry.spec.at("hosts"));
        told.add(entry);
      }
    }
  },
};
