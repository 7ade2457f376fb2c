/** One line for each pod: where it is reached, who it is, and which mutual TLS it demands there. Pure. */

import { type MeshSnapshot, ofScope } from "../../policy/mesh-snapshot.ts";
import {
  type ComposedPeerAuthentication,
  composePeerAuthentication,
  mutualTlsOfPort,
} from "../../policy/mutual-tls.ts";
import type { Workload } from "../../policy/workload.ts";

type Cells = readonly [pod: string, address: string, identity: string, mode: string];

const GAP = "  ";

/** @returns a line of titles, then one for each workload of the snapshot; 100 columns wide where names are short */
export function formatPodTable(snapshot: MeshSnapshot): readonly string[] {
  const { trustDomain } = snapshot.settings;
  const titles: Cells = ["pod", "address", `identity in ${trustDomain}`, "mutual TLS"];
  const rows = [titles, ...snapshot.workloads.map((workload) => cellsOf(snapshot, workload))];
  const widths = titles.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function cellsOf(snapshot: MeshSnapshot, workload: Workload): Cells {
  const { namespace, name, serviceAccount, injected, ports } = workload;
  const pod = `${namespace}/${name}`;
  const addresses = ports.map(
    ({ containerPort, listen }) => `${containerPort} at ${listen.address}:${listen.port}`,
  );
  const address = addresses.join(", ") || "calls only";
  if (!injected) return [pod, address, "none, no sidecar", "none"];
  const composed = demandOf(snapshot, workload);
  return [pod, address, `ns/${namespace}/sa/${serviceAccount}`, modesOf(workload, composed)];
}

function modesOf({ ports }: Workload, composed: ComposedPeerAuthentication): string {
  const modes = ports.map(({ containerPort }) => mutualTlsOfPort(composed, containerPort).mode);
  return modes.join(", ") || composed.workload.mode;
}

function demandOf(
  { settings: { rootNamespace }, peerAuthentications }: MeshSnapshot,
  { namespace, labels }: Workload,
): ComposedPeerAuthentication {
  const scope = { rootNamespace, namespace };
  return composePeerAuthentication(ofScope(peerAuthentications, scope), { ...scope, labels });
}
