/** Hosts outside that are called over plain TCP: without an address, nothing tells their traffic apart. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import { type Analyzer, finding } from "../finding.ts";

export const serviceEntryAddresses: Analyzer = {
  name: "serviceentry.ProtocolAddressesAnalyzer",
  about: "ServiceEntries over TCP without addresses",
  *analyze(mesh) {
    if (areAllocated(mesh)) return;
    for (const entry of mesh.of("ServiceEntry")) {
      const isAddressed = entry.spec.at("addresses").exists;
      if (isAddressed || entry.root.at("status", "addresses").size > 0) continue;
      for (const port of entry.spec.at("ports").items)
        if (/^(tcp)?$/i.test(port.at("protocol").text)) yield finding(entry, "IST0134", [], port);
    }
  },
};

function areAllocated({ meshConfig }: AnalyzedMesh): boolean {
  const variables = meshConfig.at("defaultConfig", "proxyMetadata");
  const isSet = (name: string): boolean => variables.at(name).text === "true";
  if (!isSet("ISTIO_META_DNS_CAPTURE")) return false;
  return isSet("ISTIO_META_DNS_AUTO_ALLOCATE") || isSet("PILOT_ENABLE_IP_AUTOALLOCATE");
}
