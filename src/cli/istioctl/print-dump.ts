/** Parts of a proxy's dump as istioctl prints them: a table, JSON or YAML. Pure. */
import { yamlText } from "../../api/yaml-text.ts";
import { printableJson } from "../../runtime/printable.ts";
import { bootstrapSummary } from "./bootstrap-summary.ts";
import { type ClusterFilter, chosenClusters, clusterSummary } from "./cluster-summary.ts";
import { chosenEndpoints, type EndpointFilter, endpointSummary } from "./endpoint-summary.ts";
import { chosenListeners, type ListenerFilter, listenerSummary } from "./listener-summary.ts";
import type { ProxyDump } from "./proxy-dump.ts";
import { chosenRoutes, routeSummary } from "./route-summary.ts";
import { secretSummary } from "./secret-summary.ts";

export const OUTPUTS = ["short", "table", "json", "yaml"] as const;
export type Output = (typeof OUTPUTS)[number];

/** What may be asked for, each where it means something. */
export interface DumpFilter
  extends Omit<ListenerFilter, "port">,
    Omit<ClusterFilter, "port">,
    Omit<EndpointFilter, "port" | "address"> {
  readonly port?: number;
  /** Of a route. */
  readonly name?: string;
}

export type DumpPartName = "listeners" | "clusters" | "routes" | "endpoints" | "bootstrap";

/** @returns lines */
export function printPart(
  part: DumpPartName,
  dump: ProxyDump,
  { output, ...filter }: DumpFilter & { readonly output: Output },
): readonly string[] {
  const { data, table } = partOf(part, dump, filter);
  if (output === "json") return [istioctlJson(data)];
  if (output === "yaml") return [istioctlYaml(data)];
  return table();
}

/** All parts, one after the other, each row with its kind. */
export function printAll(
  dump: ProxyDump,
  {
    output,
    withHeaders,
    now,
    ...filter
  }: DumpFilter & {
    readonly output: Output;
    readonly withHeaders?: boolean;
    readonly now: Date;
  },
): readonly string[] {
  if (output === "json") return [istioctlJson(dump.whole)];
  if (output === "yaml") return [istioctlYaml(dump.whole)];
  const table = (part: DumpPartName): readonly string[] => partOf(part, dump, filter, true).table();
  const sections = [
    ["BOOTSTRAP INFO", table("bootstrap")],
    ["CLUSTER INFO", table("clusters")],
    ["LISTENER INFO", table("listeners")],
    ["ROUTE INFO", table("routes")],
    ["SECRET INFO", secretSummary(dump.secrets, { now, kinds: true })],
    ["ENDPOINTS INFO", table("endpoints")],
  ] as const;
  return sections.flatMap(([title, lines], index) => [
    ...(index === 0 ? [] : [""]),
    ...(withHeaders ? [`------ ${title} ------`, ""] : []),
    ...lines,
  ]);
}

/** JSON as istioctl indents it, safe to look at. */
export function istioctlJson(data: unknown): string {
  return printableJson(JSON.stringify(data, null, 4));
}

/** YAML in the order of its keys, as istioctl writes it. */
export function istioctlYaml(data: object): string {
  return yamlText(sorted(data) as object, { indentSeq: false }).replace(/\n$/, "");
}

interface Part {
  readonly data: object;
  readonly table: () => readonly string[];
}

function partOf(
  part: DumpPartName,
  { of, config, bootstrap }: ProxyDump,
  filter: DumpFilter,
  kinds: boolean = false,
): Part {
  const options = { of, kinds };
  switch (part) {
    case "listeners": {
      const data = chosenListeners(config.listeners, filter, options);
      return { data, table: () => listenerSummary(data, options) };
    }
    case "clusters": {
      const data = chosenClusters(config.clusters, filter);
      return { data, table: () => clusterSummary(data, options) };
    }
    case "routes": {
      const data = chosenRoutes(config.routes, filter);
      return { data, table: () => routeSummary(data, options) };
    }
    case "endpoints": {
      const data = chosenEndpoints(config.endpoints, filter);
      return { data, table: () => endpointSummary(data, options) };
    }
    case "bootstrap":
      return {
        data: bootstrap,
        table: () => (of === "envoy" ? bootstrapSummary(bootstrap) : [SIDECAR]),
      };
  }
}

/** In place of versions. */
const SIDECAR = "A sidecar of hauberk, shown in the shape of Envoy";

/** With the keys of each object in their order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
