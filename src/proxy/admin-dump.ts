/**
 * All that a sidecar holds at this moment, as `/config_dump` of its administration tells it: what is public of its
 * certificate, the view that is in force, and what follows from it. No key, no token and no password is part of it.
 */
import type { SidecarCertificates } from "../identity/sidecar-certificates.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { concealedView } from "../policy/concealed-view.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Watched } from "../runtime/watched.ts";
import { type ClusterDump, describeClusters } from "./admin-clusters.ts";
import { describeListeners, type ListenerDump } from "./admin-listeners.ts";
import type { SidecarState } from "./admin-server.ts";

/** Raised when a field changes its meaning or goes; new fields may come at any time. */
export const SIDECAR_DUMP_FORMAT = 1;

export interface SidecarDump {
  readonly format: typeof SIDECAR_DUMP_FORMAT;
  readonly namespace: string;
  /** Of the pod. */
  readonly name: string;
  readonly state: SidecarState;
  readonly certificates: SidecarCertificates;
  /** Empty, as `clusters`, before the first view. */
  readonly listeners: readonly ListenerDump[];
  readonly clusters: readonly ClusterDump[];
  /** The one in force, in the form of `WORKLOAD_VIEW_FORMAT`; null before the first. */
  readonly view: WorkloadView | null;
  /** Of a sidecar of several processes; what stands above is the first one's, but for state and certificates. */
  readonly processes?: readonly SidecarProcessDump[];
}

export interface SidecarProcessDump {
  /** From 1. */
  readonly process: number;
  /** As the system has it. */
  readonly processId: number | null;
  readonly state: SidecarState;
  /** Where it is another one than above: it has not been told the newest, or refuses it. */
  readonly view?: WorkloadView | null;
}

export interface DumpSources {
  readonly namespace: string;
  readonly name: string;
  readonly state: () => SidecarState;
  readonly svid: Watched<X509Svid | undefined>;
  /** The one in force. */
  readonly view: () => WorkloadView | undefined;
  /** Present where the kernel leads the pod's connections to the sidecar. */
  readonly capture?: CaptureSettings | undefined;
}

export function describeSidecar(sources: DumpSources): SidecarDump {
  const { namespace, name, state, svid, capture } = sources;
  const view = sources.view();
  return {
    format: SIDECAR_DUMP_FORMAT,
    namespace,
    name,
    state: state(),
    certificates: describeCertificates(svid.current, view?.trust.rootsPem ?? []),
    listeners: view === undefined ? [] : describeListeners(view, capture),
    clusters: view === undefined ? [] : describeClusters(view),
    view: view === undefined ? null : concealedView(view),
  };
}

/** Field by field, so that what is secret can't come along. */
export function describeCertificates(
  svid: X509Svid | undefined,
  rootsPem: readonly string[],
): SidecarCertificates {
  return {
    id: svid?.id ?? null,
    serialNumber: svid?.serialNumber ?? null,
    notAfter: svid?.notAfter.toISOString() ?? null,
    issuedAt: svid?.issuedAt.toISOString() ?? null,
    certificateChainPem: svid?.certificateChainPem ?? null,
    rootsPem,
  };
}
