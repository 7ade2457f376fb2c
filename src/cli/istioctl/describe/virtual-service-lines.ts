/** What `x describe` says of a VirtualService: which of its routes lead to a service, and for which requests. */
import {
  type DestinationRuleObject,
  type HttpMatchObject,
  type HttpRouteObject,
  type Labels,
  namespaceOf,
  type RouteTarget,
  type ServiceObject,
  type StringMatchObject,
  type VirtualServiceObject,
} from "./cluster-objects.ts";
import { type DescribedCluster, shortName } from "./description.ts";
import { type Subsets, subsetsOf } from "./destination-rule-lines.ts";

export interface RoutedService {
  readonly service: ServiceObject;
  readonly rule: DestinationRuleObject | undefined;
  readonly podsLabels: readonly Labels[];
}

interface Told {
  readonly leadsHere: boolean;
  readonly facts: readonly string[];
}

interface Matching {
  readonly host: string;
  /** Of the VirtualService: short names are of it. */
  readonly namespace: string;
  readonly subsets: Subsets;
  /** The DestinationRule's name; absent: there is none. */
  readonly rule: string | undefined;
}

const CLUSTER = ".svc.cluster.local";

export function virtualServiceLines(
  virtual: VirtualServiceObject,
  { service, rule, podsLabels }: RoutedService,
  cluster: DescribedCluster,
): readonly string[] {
  const { http = [], tcp = [], tls = [] } = virtual.spec ?? {};
  const matching: Matching = {
    host: `${service.metadata.name}.${namespaceOf(service.metadata)}${CLUSTER}`,
    namespace: namespaceOf(virtual.metadata),
    subsets: subsetsOf(rule, podsLabels),
    rule: rule && shortName(rule.metadata, cluster),
  };
  const told = [
    ...http.map((route) => httpRoute(route, matching)),
    ...tcp.map(({ match = [], route = [] }) => ({
      leadsHere: route.some((one) => isFor(one, matching)),
      facts: match.map((one) => JSON.stringify(one)),
    })),
  ];
  const here = told.filter(({ leadsHere }) => leadsHere);
  const facts = here.flatMap((one) => one.facts);
  const elsewhere = told.filter(({ leadsHere }) => !leadsHere).flatMap((one) => one.facts);
  const lines = [
    `VirtualService: ${shortName(virtual.metadata, cluster)}`,
    ...facts.map((fact) => `   ${fact}`),
  ];
  const notes = elsewhere.map((fact) => `      ${fact}`);
  if (here.length === 0) return [...lines, ...nowhere(http.length, tcp.length), ...notes];
  const others = http.length + tls.length + tcp.length - here.length;
  if (others > 0) {
    const line = `   ${others} additional destination(s) that will not reach this pod`;
    return [...lines, line, ...(facts.length === 0 ? notes : [])];
  }
  if (facts.length > 0) return lines;
  return [
    ...lines,
    ...(http.length > 0 ? [`   ${http.length} HTTP route(s)`] : []),
    ...(tcp.length > 0 ? [`   ${tcp.length} TCP route(s)`] : []),
  ];
}

function nowhere(http: number, tcp: number): readonly string[] {
  const line = (count: number, kind: string): readonly string[] =>
    count === 0
      ? []
      : [`   WARNING: No destinations match pod subsets (checked ${count} ${kind} routes)`];
  return [...line(http, "HTTP"), ...line(tcp, "TCP")];
}

function httpRoute({ match = [], route = [], fault }: HttpRouteObject, to: Matching): Told {
  const targets = route.map((target) => targetWords(target, match, to));
  const leadsHere = targets.some((one) => one.leadsHere);
  const facts = targets.flatMap((one) => one.facts);
  const mismatches = targets.flatMap((one) => one.mismatches);
  const conditions = [
    ...(fault === undefined ? [] : [`Fault injection ${JSON.stringify(fault)}`]),
    ...match.map(matchWords),
  ];
  if (!leadsHere) return { leadsHere, facts: [...facts, ...mismatches] };
  return {
    leadsHere,
    facts: [...facts, ...(conditions.length > 0 ? [conditions.join(", ")] : [])],
  };
}

function targetWords(
  target: RouteTarget,
  match: readonly HttpMatchObject[],
  to: Matching,
): Told & { readonly mismatches: readonly string[] } {
  const { destination: { host = "", subset = "" } = {}, weight = 0 } = target;
  if (!isFor(target, to)) {
    const fact =
      subset === ""
        ? `Route to host "${host}" with weight ${weight}%`
        : `Route to ${host} with invalid config`;
    return { leadsHere: false, facts: [fact], mismatches: [] };
  }
  const mismatch = subset === "" ? undefined : subsetMismatch(subset, match, to);
  if (mismatch !== undefined) return { leadsHere: false, facts: [], mismatches: [mismatch] };
  const part = subset === "" ? "" : ` subset "${subset}"`;
  const fact = `Route to host "${host}"${part} with weight ${weight}%`;
  return { leadsHere: true, facts: weight > 0 ? [fact] : [], mismatches: [] };
}

function subsetMismatch(
  subset: string,
  match: readonly HttpMatchObject[],
  { subsets, rule }: Matching,
): string | undefined {
  if (subsets.others.includes(subset)) {
    const matches = match.length === 0 ? "everything" : match.map(matchWords).join(", ");
    return `Route to non-matching subset ${subset} for (${matches})`;
  }
  if (subsets.matching.includes(subset)) return undefined;
  return rule === undefined
    ? `Warning: Route to subset ${subset} but NO DESTINATION RULE defining subsets!`
    : `Warning: Route to UNKNOWN subset ${subset}; check DestinationRule ${rule}`;
}

function isFor({ destination }: RouteTarget, { host, namespace }: Matching): boolean {
  const named = destination?.host ?? "";
  const whole = named.includes(".") ? named : `${named}.${namespace}`;
  return (whole.endsWith(CLUSTER) ? whole : `${whole}${CLUSTER}`) === host;
}

function matchWords({ uri, ignoreUriCase, headers = {} }: HttpMatchObject): string {
  const path = uri === undefined ? "" : `${textWords(uri)}${ignoreUriCase ? " uncased" : ""}`;
  const conditions = Object.entries(headers).map(([name, value]) => `${name}=${textWords(value)}`);
  const demanded = conditions.length === 0 ? "" : ` when headers are ${conditions.join("; ")}`;
  return `Match: ${path}${demanded}`.trim();
}

function textWords({ exact, prefix, regex }: StringMatchObject): string {
  if (exact !== undefined) return exact;
  if (prefix !== undefined) return `${prefix}*`;
  return regex === undefined ? "" : `regex:"${regex}"`;
}
