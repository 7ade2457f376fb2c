/** What ServiceEntries and the TLS of DestinationRules will not do as their author may think. */
import type { ClientTls } from "../api/client-tls.ts";
import type { DestinationRule } from "../api/destination-rule.ts";
import { selects } from "../api/label-selector.ts";
import { quoted } from "../api/quoted.ts";
import type { Notice, Resource } from "../api/resource.ts";
import type { ServiceEntry } from "../api/service-entry.ts";
import type { TrafficPolicy } from "../api/traffic-policy.ts";
import { ofKind } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

export function egressNotices(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const entries = ofKind(resources, "ServiceEntry");
  return [
    ...ofKind(resources, "DestinationRule").flatMap((rule) => credentialNotices(rule, resources)),
    ...entries.flatMap((entry) => selectorNotice(entry, { resources, workloads })),
    ...loopbackNotice(entries, workloads),
    ...entries.flatMap((entry) => ownAddressNotice(entry, workloads)),
  ];
}

/** TLS-39, QK-80 */
function credentialNotices(
  { meta, trafficPolicy, subsets, workloadSelector }: DestinationRule,
  resources: readonly Resource[],
): readonly Notice[] {
  const named = [trafficPolicy, ...subsets.map((subset) => subset.trafficPolicy)]
    .flatMap(tlsOf)
    .flatMap((tls) => ("credentialName" in tls ? [tls.credentialName ?? ""] : []));
  const told = (message: string): Notice => ({
    source: meta.source,
    path: "spec.trafficPolicy.tls.credentialName",
    message,
  });
  return [...new Set(named)]
    .filter((name) => name !== "")
    .flatMap((name) => {
      if (workloadSelector === undefined) {
        return told(
          `the Secret ${quoted(name)} is for gateways alone, since the rule has no workloadSelector; calls of sidecars fail, and are never sent in plaintext (TLS-39)`,
        );
      }
      const isThere = ofKind(resources, "Secret").some(
        (one) => one.meta.namespace === meta.namespace && one.meta.name.startsWith(name),
      );
      return isThere
        ? []
        : told(`the Secret ${meta.namespace}/${name} is not there; calls fail until it is`);
    });
}

function tlsOf(policy: TrafficPolicy | undefined): readonly ClientTls[] {
  return [policy, ...(policy?.ports.values() ?? [])].flatMap((one) => one?.tls ?? []);
}

function selectorNotice(
  { meta, workloadSelector, resolution }: ServiceEntry,
  {
    resources,
    workloads,
  }: { readonly resources: readonly Resource[]; readonly workloads: readonly Workload[] },
): readonly Notice[] {
  if (workloadSelector === undefined || resolution === "NONE") return [];
  const { namespace, source } = meta;
  const isSelected = [
    ...workloads,
    ...ofKind(resources, "WorkloadEntry").map((one) => ({ ...one, namespace: one.meta.namespace })),
  ].some((one) => one.namespace === namespace && selects(workloadSelector, one.labels));
  if (isSelected) return [];
  const message = "selects no pod and no WorkloadEntry, so that it has no endpoint";
  return [{ source, path: "spec.workloadSelector", message }];
}

const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** Where pods have networks of their own, so is their loopback. */
function ownAddressNotice(
  { meta, endpoints }: ServiceEntry,
  workloads: readonly Workload[],
): readonly Notice[] {
  const own = endpoints.find(({ address }) => LOOPBACK.test(address));
  const isNetworked = workloads.some(({ addresses }) => addresses !== undefined);
  if (own === undefined || !isNetworked) return [];
  const message = `${quoted(own.address)} is the calling pod itself, since each has a network of its own; what listens on this machine is called by another of its addresses`;
  return [{ source: meta.source, path: "spec.endpoints", message }];
}

/** Told once, at the first. */
function loopbackNotice(
  [first]: readonly ServiceEntry[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const isShared = workloads.some(({ injected, addresses }) => injected && addresses === undefined);
  if (first === undefined || !isShared) return [];
  return [
    {
      source: first.meta.source,
      path: "spec.hosts",
      message:
        "are reached by the sidecar's HTTP proxy alone where pods share the machine's loopback: what a program connects to by itself passes no sidecar, and no policy of the mesh holds it",
    },
  ];
}
