/** What istiod's webhook demands of a VirtualService, and what it warns of. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { shortList } from "../short-list.ts";
import { checkExportTo } from "./export-to.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { isTokenClaim } from "./header-name.ts";
import { isAddress, wildcardHostProblem } from "./host-name.ts";
import { HostSet, overlapsBefore } from "./host-set.ts";
import { checkHttpRoute } from "./http-route.ts";
import { type RouteSemantics, routeSemantics } from "./route-semantics.ts";
import { sniHostProblem } from "./sni-host.ts";
import { checkTcpRoute, checkTlsRoute } from "./stream-route.ts";
import { warnOfUnreachableRoutes } from "./unreachable-routes.ts";
import type { WebhookRequest } from "./webhook.ts";
import { textsIn } from "./written-values.ts";

/** Of its gateways: "mesh" when it is for sidecars too, or has none. */
type Place = "gateway" | "mesh";

export function validateVirtualService({ namespace, annotations, spec }: WebhookRequest): void {
  const semantics = routeSemantics(annotations);
  const hosts = textsIn(spec, "hosts");
  const gateways = textsIn(spec, "gateways");
  const place = gateways.length === 0 || gateways.includes("mesh") ? "mesh" : "gateway";
  if (hosts.length === 0) checkDelegate(spec);
  const names = semantics === "istio" ? "judged" : "converted";
  checkGatewayNames(spec, { warnings: "passed on", names });
  checkHosts(spec, place);
  if (place === "mesh") refuseTokenClaims(spec.list("http"));
  if (["http", "tls", "tcp"].every((name) => spec.itemCount(name) === 0)) {
    spec.reportHere("must have http, tls or tcp");
  }
  const owner = hosts.length === 0 ? "delegate" : "root";
  for (const route of spec.list("http")) checkHttpRoute(route, { owner, semantics });
  checkTlsRoutes(spec, { semantics, hosts, gateways });
  for (const route of spec.list("tcp")) checkTcpRoute(route, semantics);
  checkExportTo(spec, { namespace, owner: "other" });
  warnOfUnreachableRoutes(spec.list("http"), "http");
  for (const name of ["tcp", "tls"]) warnOfUnreachableRoutes(spec.list(name), "stream");
}

function checkTlsRoutes(
  spec: Fields,
  {
    semantics,
    hosts,
    gateways,
  }: {
    readonly semantics: RouteSemantics;
    readonly hosts: readonly string[];
    readonly gateways: readonly string[];
  },
): void {
  const context = {
    semantics,
    hosts: new HostSet(hosts),
    hostsInWords: shortList(hosts.map(quoted)),
    // Without any gateway too, names are judged as at a gateway.
    place: gateways.includes("mesh") ? ("mesh" as const) : ("gateway" as const),
  };
  for (const route of spec.list("tls")) checkTlsRoute(route, context);
}

/** One without hosts is led to by another, which has the rest. */
function checkDelegate(spec: Fields): void {
  for (const name of ["gateways", "tls", "tcp"]) {
    if (spec.itemCount(name) === 0) continue;
    spec.report(name, "must not be given in a VirtualService without hosts: it is a delegate");
  }
}

function checkHosts(spec: Fields, place: Place): void {
  const hosts = textsIn(spec, "hosts");
  const judge = place === "gateway" && matchesServerNames(spec) ? "server name" : "host";
  const problems = hosts.map((host) => hostProblem(host, { place, judge }));
  for (const [item, problem] of problems.entries()) {
    if (problem !== undefined) spec.report({ name: "hosts", item }, problem);
  }
  if (problems.every((problem) => problem === undefined)) refuseOverlappingHosts(spec, hosts);
}

function hostProblem(
  host: string,
  { place, judge }: { readonly place: Place; readonly judge: "server name" | "host" },
): string | undefined {
  const problem =
    judge === "server name" ? sniHostProblem(host, "gateway") : wildcardHostProblem(host);
  if (problem !== undefined) return isAddress(host) ? undefined : problem;
  return place === "mesh" && host === "*"
    ? '"*" must not be a host for sidecars; expected a name, or gateways'
    : undefined;
}

function matchesServerNames(spec: Fields): boolean {
  return spec
    .list("tls")
    .some((route) => route.list("match").some((match) => match.itemCount("sniHosts") > 0));
}

function refuseOverlappingHosts(spec: Fields, hosts: readonly string[]): void {
  for (const [item, first] of overlapsBefore(hosts).entries()) {
    if (first === undefined) continue;
    const [host, before] = [hosts[item] ?? "", hosts[first] ?? ""];
    spec.report({ name: "hosts", item }, `${quoted(host)} overlaps with ${quoted(before)}`);
  }
}

function refuseTokenClaims(routes: readonly Fields[]): void {
  for (const match of routes.flatMap((route) => route.list("match"))) {
    for (const field of ["headers", "withoutHeaders"]) {
      for (const name of match.section(field).names().filter(isTokenClaim)) {
        match.section(field).report(name, "is a claim of a token, which only gateways route by");
      }
    }
  }
}
