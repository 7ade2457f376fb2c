/** `proxy-config clusters`: a row for each service and port that can be reached. */
import type { EnvoyCluster } from "../../envoy/envoy-json.ts";
import { clusterKey, compareClusterNames } from "./cluster-key.ts";
import { configuredByInWords } from "./configured-by.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 5;
const HEADINGS = ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"];

export interface ClusterFilter {
  /** A part of the name. */
  readonly fqdn?: string;
  readonly port?: number;
  readonly subset?: string;
  readonly direction?: string;
}

/** @returns those that fit, by host, subset, port and direction */
export function chosenClusters(
  clusters: readonly EnvoyCluster[],
  { fqdn = "", port, subset = "", direction = "" }: ClusterFilter,
): readonly EnvoyCluster[] {
  const parts = [fqdn, direction, subset, port === undefined ? "" : `|${port}|`];
  return clusters
    .filter(({ name = "" }) => parts.every((part) => name.includes(part)))
    .toSorted((one, other) => compareClusterNames(one.name ?? "", other.name ?? ""));
}

export function clusterSummary(
  clusters: readonly EnvoyCluster[],
  { kinds }: SummaryOptions,
): readonly string[] {
  const headings = kinds ? ["NAME", ...HEADINGS] : HEADINGS;
  const rows = clusters.map(({ name: bare = "", type = "STATIC", metadata }) => {
    const key = clusterKey(bare);
    const name = kinds && bare !== "" ? `cluster/${bare}` : bare;
    const { host, port, subset, direction } = key ?? {
      host: name,
      port: "-",
      subset: "",
      direction: "-",
    };
    return [
      ...(kinds ? [name] : []),
      host,
      String(port),
      subset === "" ? "-" : subset,
      direction,
      type,
      configuredByInWords(metadata),
    ];
  });
  return tabColumns([headings, ...rows], PADDING);
}
