/** What the control plane knows of each live sidecar: who signed its certificate, and which trust it has acknowledged. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Workload } from "../policy/workload.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import type { PresentedCertificate } from "./presented-certificate.ts";

export interface SidecarState {
  /** `namespace/pod` */
  readonly pod: string;
  /** Of a sidecar of several: which, from 1. Each has a certificate of its own, and follows its view by itself. */
  readonly process?: number;
  /** Whether it follows its view now. */
  readonly connection: "connected" | "absent";
  /** The one it presents; the last one seen, when it is absent; undefined when none was. */
  readonly certificate?: PresentedCertificate;
  readonly identity?: SpiffeId;
  /** Fingerprint of the trust that it acknowledged last. */
  readonly trust?: string;
}

/** How a sidecar, or one process of several, is called in words. */
export function sidecarName({ pod, process }: Pick<SidecarState, "pod" | "process">): string {
  return process === undefined ? pod : `${pod} process ${process}`;
}

/** Remembers what those that are absent presented last. */
export class SidecarRegister {
  /** By pod, then by process. */
  readonly #seen = new Map<string, Map<number, SubscriberStatus>>();

  /**
   * A stream counts for the pod that its certificate was issued for, whatever view it asks for: all pods of an account may
   * ask for each other's. Of several of one process of a pod that with the newest certificate counts, and of those the last.
   *
   * @param subscribers in the order in which they came
   */
  states(
    workloads: readonly Workload[],
    subscribers: readonly SubscriberStatus[],
  ): readonly SidecarState[] {
    const connected = ownStreams(workloads, subscribers);
    for (const [pod, streams] of connected) this.#remember(pod, streams);
    const pods = workloads
      .filter((workload) => workload.injected)
      .map((workload) => ({ workload, pod: `${workload.namespace}/${workload.name}` }));
    const known = new Set(pods.map(({ pod }) => pod));
    for (const pod of this.#seen.keys()) if (!known.has(pod)) this.#seen.delete(pod);
    return pods
      .filter(({ workload, pod }) => connected.has(pod) || !mayHaveFinished(workload))
      .flatMap(({ pod }) => statesOf(pod, connected.get(pod) ?? NONE, this.#seen.get(pod) ?? NONE));
  }

  /** Those that are more than its sidecar has now are no processes of it any more. */
  #remember(pod: string, streams: ReadonlyMap<number, SubscriberStatus>): void {
    const seen = new Map([...(this.#seen.get(pod) ?? []), ...streams]);
    const processes = countOf(streams);
    for (const process of seen.keys()) if (process > processes) seen.delete(process);
    this.#seen.set(pod, seen);
  }
}

const NONE: ReadonlyMap<number, SubscriberStatus> = new Map();

/** By pod, then by process. */
function ownStreams(
  workloads: readonly Workload[],
  subscribers: readonly SubscriberStatus[],
): ReadonlyMap<string, ReadonlyMap<number, SubscriberStatus>> {
  const uids = new Map(workloads.map(({ namespace, name, uid }) => [`${namespace}/${name}`, uid]));
  const own = new Map<string, Map<number, SubscriberStatus>>();
  for (const subscriber of subscribers) {
    const { name, pod, certificate } = subscriber;
    const isOwn =
      pod !== undefined &&
      `${pod.namespace}/${pod.podName}` === name &&
      pod.podUid === uids.get(name);
    if (!isOwn) continue;
    const process = subscriber.place?.process ?? 1;
    const streams = own.get(name) ?? new Map<number, SubscriberStatus>();
    own.set(name, streams);
    const best = streams.get(process)?.certificate.notBefore;
    if (best === undefined || certificate.notBefore >= best) streams.set(process, subscriber);
  }
  return own;
}

/** How many processes the sidecar has, by what the one with the newest certificate says; a stream may outlive its sidecar. */
function countOf(streams: ReadonlyMap<number, SubscriberStatus>): number {
  const [newest] = [...streams.values()].sort(
    (one, other) => other.certificate.notBefore.getTime() - one.certificate.notBefore.getTime(),
  );
  return newest?.place?.of ?? 1;
}

/** One that is not connected is absent: what it missed, it may enforce no more, and whatever it serves, it serves. */
function statesOf(
  pod: string,
  connected: ReadonlyMap<number, SubscriberStatus>,
  seen: ReadonlyMap<number, SubscriberStatus>,
): readonly SidecarState[] {
  const count = countOf(seen);
  return Array.from({ length: count }, (_, index) => {
    const process = index + 1;
    const state = stateOf(pod, connected.get(process), seen.get(process));
    return count === 1 ? state : { ...state, process };
  });
}

/** The sidecar of a Job ends with it; one that comes back is told the newest trust as it starts. */
function mayHaveFinished({ ownerKind }: Workload): boolean {
  return ownerKind === "Job";
}

function stateOf(
  pod: string,
  connected: SubscriberStatus | undefined,
  seen: SubscriberStatus | undefined,
): SidecarState {
  const { certificate, principal } = seen ?? {};
  const trust = connected?.trustAcked;
  return {
    pod,
    connection: connected === undefined ? "absent" : "connected",
    ...(certificate && { certificate }),
    ...(principal && { identity: principal }),
    ...(trust !== undefined && { trust }),
  };
}
