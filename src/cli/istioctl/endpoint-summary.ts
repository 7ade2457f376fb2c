/** `proxy-config endpoints`: the addresses behind the clusters. */
import type { ClusterLoadAssignment, EnvoyAddress, LbEndpoint } from "../../envoy/envoy-json.ts";
import { OWN_METADATA } from "../../envoy/istio-names.ts";
import { compareClusterNames } from "./cluster-key.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 5;

export interface EndpointFilter {
  /** `10.1.2.3:8080` */
  readonly address?: string;
  readonly port?: number;
  /** The whole name of a cluster. */
  readonly cluster?: string;
  /** As `healthy`. */
  readonly status?: string;
}

/** @returns clusters with an endpoint that fits, and of each such endpoints alone */
export function chosenEndpoints(
  assignments: readonly ClusterLoadAssignment[],
  filter: EndpointFilter,
): readonly ClusterLoadAssignment[] {
  return assignments
    .map((assignment) => ({
      ...assignment,
      endpoints: (assignment.endpoints ?? []).map((locality) => ({
        ...locality,
        lbEndpoints: (locality.lbEndpoints ?? []).filter((one) =>
          fits(one, assignment.clusterName ?? "", filter),
        ),
      })),
    }))
    .filter(({ endpoints }) => endpoints.some(({ lbEndpoints }) => lbEndpoints.length > 0))
    .toSorted((one, other) => compareClusterNames(one.clusterName ?? "", other.clusterName ?? ""));
}

export function endpointSummary(
  assignments: readonly ClusterLoadAssignment[],
  { of, kinds }: SummaryOptions,
): readonly string[] {
  const own = of === "sidecar";
  const headings = ["NAME", "STATUS", "LOCALITY", "CLUSTER", ...(own ? ["MUTUAL TLS", "POD"] : [])];
  const rows = assignments.flatMap(({ clusterName = "", endpoints = [] }) =>
    endpoints.flatMap(({ locality, lbEndpoints = [] }) =>
      lbEndpoints.map((one) => [
        `${kinds ? "endpoint/" : ""}${addressesOf(one).join(",")}`,
        one.healthStatus ?? "UNKNOWN",
        localityInWords(locality),
        clusterName,
        ...(own ? ownWords(one) : []),
      ]),
    ),
  );
  return tabColumns([headings, ...rows], PADDING);
}

function fits(
  one: LbEndpoint,
  clusterName: string,
  { address, port, cluster, status }: EndpointFilter,
): boolean {
  const same = (left: string, right: string | undefined): boolean =>
    right === undefined || left.toLowerCase() === right.toLowerCase();
  return (
    (address === undefined || addressesOf(one).some((own) => same(own, address))) &&
    (port === undefined || one.endpoint?.address?.socketAddress?.portValue === port) &&
    same(clusterName, cluster) &&
    same(one.healthStatus ?? "UNKNOWN", status)
  );
}

function addressesOf({ endpoint }: LbEndpoint): readonly string[] {
  const further = (endpoint?.additionalAddresses ?? []).map(({ address }) => address);
  return [endpoint?.address, ...further].map(addressInWords);
}

function addressInWords(address: EnvoyAddress = {}): string {
  const { socketAddress, pipe, envoyInternalAddress } = address;
  if (socketAddress !== undefined)
    return `${socketAddress.address ?? ""}:${socketAddress.portValue ?? 0}`;
  if (pipe !== undefined) return pipe.path ?? "";
  if (envoyInternalAddress?.serverListenerName !== undefined)
    return `envoy://${envoyInternalAddress.serverListenerName}/${envoyInternalAddress.endpointId ?? ""}`;
  return "unknown";
}

function localityInWords({
  region = "",
  zone = "",
  subZone = "",
}: NonNullable<NonNullable<ClusterLoadAssignment["endpoints"]>[number]["locality"]> = {}): string {
  if (zone === "") return region;
  return subZone === "" ? `${region}/${zone}` : `${region}/${zone}/${subZone}`;
}

function ownWords({ metadata }: LbEndpoint): readonly string[] {
  const { mutualTls, pod } = metadata?.filterMetadata?.[OWN_METADATA] ?? {};
  return [mutualTls === true ? "yes" : "no", String(pod ?? "-")];
}
