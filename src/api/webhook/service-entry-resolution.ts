/** How the endpoints of a ServiceEntry are found, and what each way demands, as Istio's webhook judges it. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { hostNameProblem } from "./host-name.ts";
import { protocolFamily } from "./port.ts";
import { checkEndpointPorts, checkWorkload, endpointAddressProblem } from "./workload-entry.ts";
import { checkLabels } from "./workload-labels.ts";
import { textIn, textsIn } from "./written-values.ts";

const WAYPOINT_LABEL = "istio.io/use-waypoint";
/** Protocols that tell the proxy the host of each request or connection. */
const DYNAMIC_PROTOCOLS = ["http", "http2", "grpc", "tls"];

type Labels = ReadonlyMap<string, string>;

/** @param labels of the ServiceEntry itself */
export function checkResolution(spec: Fields, labels: Labels): void {
  const resolution = textIn(spec, "resolution") || "NONE";
  const check = RESOLUTIONS.get(resolution);
  if (check === undefined) {
    const known = [...RESOLUTIONS.keys()].join(", ");
    spec.report("resolution", `${quoted(resolution)} is not known; expected one of ${known}`);
    return;
  }
  check(spec, labels);
}

const RESOLUTIONS: ReadonlyMap<string, (spec: Fields, labels: Labels) => void> = new Map([
  ["NONE", checkUnresolved],
  ["STATIC", checkStatic],
  ["DNS", checkDns],
  ["DNS_ROUND_ROBIN", checkDnsRoundRobin],
  ["DYNAMIC_DNS", checkDynamicDns],
]);

function checkUnresolved(spec: Fields): void {
  if (spec.itemCount("endpoints") > 0) {
    spec.report("endpoints", "must not be given with resolution NONE");
  }
  if (spec.has("workloadSelector")) {
    spec.notice("workloadSelector", "should not be given with resolution NONE");
  }
}

function checkStatic(spec: Fields): void {
  const servicePorts = portNames(spec);
  for (const endpoint of spec.list("endpoints")) {
    checkWorkload(endpoint, { host: "refused", servicePorts });
  }
}

function checkDnsRoundRobin(spec: Fields): void {
  if (spec.itemCount("endpoints") > 1) {
    spec.report("endpoints", "must have one item at most with resolution DNS_ROUND_ROBIN");
  }
  checkDns(spec);
}

function checkDns(spec: Fields): void {
  if (spec.itemCount("endpoints") === 0) checkResolvableHosts(spec);
  const servicePorts = portNames(spec);
  for (const endpoint of spec.list("endpoints")) {
    const problem = endpointAddressProblem(textIn(endpoint, "address"), "accepted");
    if (problem !== undefined) endpoint.report("address", problem);
    checkLabels(endpoint, "labels");
    checkEndpointPorts(endpoint, servicePorts);
  }
  if (spec.itemCount("addresses") > 0) warnOfSharedAddress(spec);
}

/** Without endpoints it is the hosts that are asked for, and a wildcard cannot be. */
function checkResolvableHosts(spec: Fields): void {
  for (const [item, host] of textsIn(spec, "hosts").entries()) {
    if (hostNameProblem(host) === undefined) continue;
    spec.report(
      { name: "hosts", item },
      `${quoted(host)} cannot be looked up; expected the full name of a host, or endpoints`,
    );
  }
}

function warnOfSharedAddress(spec: Fields): void {
  if (textsIn(spec, "hosts").length < 2) return;
  const tcp = spec.list("ports").find((port) => {
    const family = protocolFamily(textIn(port, "protocol"));
    return family === "tcp" || family === "tls";
  });
  tcp?.notice("protocol", "is TCP, on which several hosts with the same addresses are one");
}

function checkDynamicDns(spec: Fields, labels: Labels): void {
  const hosts = textsIn(spec, "hosts");
  for (const [item, host] of hosts.entries()) {
    if (host.startsWith("*")) continue;
    spec.report(
      { name: "hosts", item },
      `${quoted(host)} has no wildcard; resolution DYNAMIC_DNS expects one at the front`,
    );
  }
  for (const name of ["addresses", "endpoints"]) {
    if (spec.itemCount(name) === 0) continue;
    spec.report(name, "must not be given with resolution DYNAMIC_DNS");
  }
  for (const port of spec.list("ports")) {
    if (DYNAMIC_PROTOCOLS.includes(textIn(port, "protocol").toLowerCase())) continue;
    port.report("protocol", "must be HTTP, HTTP2, GRPC or TLS with resolution DYNAMIC_DNS");
  }
  checkDynamicLocation(spec, labels);
}

function checkDynamicLocation(spec: Fields, labels: Labels): void {
  const location = textIn(spec, "location") || "MESH_EXTERNAL";
  if (location !== "MESH_EXTERNAL" && location !== "MESH_INTERNAL") {
    spec.report("location", `${quoted(location)} is neither MESH_EXTERNAL nor MESH_INTERNAL`);
  }
  const waypoint = labels.get(WAYPOINT_LABEL) ?? "";
  if (location === "MESH_INTERNAL" && waypoint !== "" && waypoint.toLowerCase() !== "none") {
    spec.report("location", "must not be MESH_INTERNAL with DYNAMIC_DNS behind a waypoint");
  }
}

function portNames(spec: Fields): ReadonlySet<string> {
  return new Set(spec.list("ports").map((port) => textIn(port, "name")));
}
