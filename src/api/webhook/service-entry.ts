/** What istiod's webhook demands of a ServiceEntry, and what it warns of. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkExportTo } from "./export-to.ts";
import { wildcardHostProblem } from "./host-name.ts";
import { subnetProblem } from "./ip-subnet.ts";
import { checkNetworkingSelector } from "./networking-selector.ts";
import { checkServicePorts } from "./service-entry-ports.ts";
import { checkResolution } from "./service-entry-resolution.ts";
import type { WebhookRequest } from "./webhook.ts";
import { textIn, textPairsIn, textsIn } from "./written-values.ts";

export function validateServiceEntry({ namespace, root, spec }: WebhookRequest): void {
  if (checkNetworkingSelector(spec) === "refused") return;
  if (spec.has("workloadSelector") && spec.itemCount("endpoints") > 0) {
    spec.report("endpoints", "must not be given together with workloadSelector");
  }
  const labels = new Map(textPairsIn(root.section("metadata"), "labels"));
  checkHosts(spec);
  checkAddresses(spec);
  checkServicePorts(spec, labels);
  checkResolution(spec, labels);
  checkExportTo(spec, { namespace, owner: "ServiceEntry" });
}

function checkHosts(spec: Fields): void {
  const hosts = textsIn(spec, "hosts");
  if (hosts.length === 0) spec.report("hosts", "must have at least one item");
  for (const [item, host] of hosts.entries()) {
    const problem =
      host === "*" ? '"*" is every host; expected a narrower name' : wildcardHostProblem(host);
    if (problem !== undefined) spec.report({ name: "hosts", item }, problem);
    if (isPartialWildcard(host) && textIn(spec, "resolution") !== "DYNAMIC_DNS") {
      spec.notice(
        { name: "hosts", item },
        `${quoted(host)} has a wildcard that is not a whole label, which is for DYNAMIC_DNS only`,
      );
    }
  }
}

function isPartialWildcard(host: string): boolean {
  return host.includes("*") && host !== "*" && !host.startsWith("*.");
}

function checkAddresses(spec: Fields): void {
  const addresses = textsIn(spec, "addresses");
  for (const [item, address] of addresses.entries()) {
    const problem = subnetProblem(address);
    if (problem !== undefined) spec.report({ name: "addresses", item }, problem);
  }
  const resolution = textIn(spec, "resolution");
  const ranges = addresses.some((address) => address.includes("/"));
  if (ranges && !["", "NONE", "STATIC"].includes(resolution)) {
    spec.report("addresses", `has a range, which is not for resolution ${resolution}`);
  }
}
