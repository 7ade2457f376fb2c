/** TCP and TLS routes of a VirtualService: connections, told apart by port, address or server name. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { isAddress } from "./host-name.ts";
import type { HostSet } from "./host-set.ts";
import { checkTraffic } from "./http-match.ts";
import { subnetProblem } from "./ip-subnet.ts";
import { checkDestinations } from "./route-destination.ts";
import type { RouteSemantics } from "./route-semantics.ts";
import { sniHostProblem } from "./sni-host.ts";
import type { Warnings } from "./warnings.ts";
import { textsIn } from "./written-values.ts";

export function checkTcpRoute(route: Fields, semantics: RouteSemantics): void {
  for (const match of route.list("match")) checkStreamMatch(match, "dropped");
  checkRoute(route, semantics);
}

export interface TlsRouteContext {
  readonly semantics: RouteSemantics;
  /** Of the VirtualService: each server name must be of one of them. */
  readonly hosts: HostSet;
  readonly hostsInWords: string;
  readonly place: "gateway" | "mesh";
}

export function checkTlsRoute(route: Fields, context: TlsRouteContext): void {
  if (route.itemCount("match") === 0) route.report("match", "must have at least one item");
  for (const match of route.list("match")) {
    checkServerNames(match, context);
    checkStreamMatch(match, "passed on");
  }
  checkRoute(route, context.semantics);
}

function checkRoute(route: Fields, semantics: RouteSemantics): void {
  if (route.itemCount("route") === 0) route.report("route", "must have at least one item");
  checkDestinations(route, semantics);
}

function checkStreamMatch(match: Fields, warnings: Warnings): void {
  for (const [item, subnet] of textsIn(match, "destinationSubnets").entries()) {
    const problem = subnetProblem(subnet);
    if (problem !== undefined) match.report({ name: "destinationSubnets", item }, problem);
  }
  checkTraffic(match);
  checkGatewayNames(match, { warnings, names: "judged" });
}

function checkServerNames(match: Fields, context: TlsRouteContext): void {
  const names = textsIn(match, "sniHosts");
  if (names.length === 0) match.report("sniHosts", "must have at least one item");
  for (const [item, name] of names.entries()) {
    const at = { name: "sniHosts", item };
    const problem = serverNameProblem(name, context);
    if (problem === undefined) continue;
    if (isAddress(name)) match.notice(at, "is an address, which most clients send no name for");
    else match.report(at, problem);
  }
}

function serverNameProblem(
  name: string,
  { hosts, hostsInWords, place }: TlsRouteContext,
): string | undefined {
  const problem = sniHostProblem(name, place);
  if (problem !== undefined || hosts.covers(name)) return problem;
  return `${quoted(name)} is of none of the hosts ${hostsInWords}`;
}
