/** What istiod's webhook demands of a WorkloadEntry, and what it warns of; an endpoint of a ServiceEntry is one too. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { hostNameProblem, isAddress } from "./host-name.ts";
import { portNameProblem, portNumberProblem } from "./port.ts";
import { isUnixAddress, unixAddressProblem } from "./unix-address.ts";
import type { WebhookRequest } from "./webhook.ts";
import { checkLabels } from "./workload-labels.ts";
import { numberIn, textIn } from "./written-values.ts";

export function validateWorkloadEntry({ spec }: WebhookRequest): void {
  checkWorkload(spec, { host: "accepted" });
}

export interface WorkloadRules {
  /** Whether the address may be the name of a host. */
  readonly host: "accepted" | "refused";
  /** Names of the ports of the service that has the workload as an endpoint. */
  readonly servicePorts?: ReadonlySet<string>;
}

export function checkWorkload(workload: Fields, { host, servicePorts }: WorkloadRules): void {
  const address = textIn(workload, "address");
  const network = textIn(workload, "network");
  if (address === "" && network === "") {
    workload.report("address", "is missing: only a workload in a network may do without");
    return;
  }
  if (address === "") {
    workload.notice("network", `${quoted(network)} is given without address`);
  } else if (isUnixAddress(address)) {
    checkUnixEndpoint(workload, { address, servicePorts });
  } else {
    const problem = endpointAddressProblem(address, host);
    if (problem !== undefined) workload.report("address", problem);
  }
  checkEndpointPorts(workload, servicePorts);
  checkLabels(workload, "labels");
}

/** @param host whether the name of a host will do */
export function endpointAddressProblem(
  address: string,
  host: WorkloadRules["host"],
): string | undefined {
  if (isAddress(address)) return undefined;
  if (host === "refused") return `${quoted(address)} is not an IP address`;
  return hostNameProblem(address) === undefined
    ? undefined
    : `${quoted(address)} is neither an IP address nor the full name of a host`;
}

/** @param servicePorts undefined when the service is not known */
export function checkEndpointPorts(
  workload: Fields,
  servicePorts: ReadonlySet<string> | undefined,
): void {
  const ports = workload.section("ports");
  for (const name of ports.names()) {
    if (servicePorts !== undefined && !servicePorts.has(name)) {
      ports.report(name, "is not a port of the service");
    }
    const problem = portNameProblem(name) ?? portNumberProblem(numberIn(ports, name));
    if (problem !== undefined) ports.report(name, problem);
  }
}

function checkUnixEndpoint(
  workload: Fields,
  {
    address,
    servicePorts,
  }: { readonly address: string; readonly servicePorts: ReadonlySet<string> | undefined },
): void {
  const problem = unixAddressProblem(address);
  if (problem !== undefined) workload.report("address", problem);
  if (workload.section("ports").names().length > 0) {
    workload.report("ports", "must not be given for a Unix socket");
  }
  if (servicePorts !== undefined && servicePorts.size !== 1) {
    workload.report("address", `is a Unix socket; expected a service with one port only`);
  }
}
