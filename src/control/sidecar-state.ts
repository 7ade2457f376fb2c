/** What the control plane knows of each live sidecar: who signed its certificate, and which trust it has acknowledged. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Workload } from "../policy/workload.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import type { PresentedCertificate } from "./presented-certificate.ts";

export interface SidecarState {
  /** `namespace/pod` */
  readonly pod: string;
  /** Whether it follows its view now. */
  readonly connection: "connected" | "absent";
  /** The one it presents; the last one seen, when it is absent; undefined when none was. */
  readonly certificate?: PresentedCertificate;
  readonly identity?: SpiffeId;
  /** Fingerprint of the trust that it acknowledged last. */
  readonly trust?: string;
}

/** Remembers what those that are absent presented last. */
export class SidecarRegister {
  readonly #seen = new Map<string, SubscriberStatus>();

  /**
   * A stream counts for the pod that its certificate was issued for, whatever view it asks for: all pods of an account may
   * ask for each other's. Of several of one pod that with the newest certificate counts, and of those the last.
   *
   * @param subscribers in the order in which they came
   */
  states(
    workloads: readonly Workload[],
    subscribers: readonly SubscriberStatus[],
  ): readonly SidecarState[] {
    const connected = ownStreams(workloads, subscribers);
    for (const [pod, subscriber] of connected) this.#seen.set(pod, subscriber);
    const pods = workloads
      .filter((workload) => workload.injected)
      .map((workload) => ({ workload, pod: `${workload.namespace}/${workload.name}` }));
    const known = new Set(pods.map(({ pod }) => pod));
    for (const pod of this.#seen.keys()) if (!known.has(pod)) this.#seen.delete(pod);
    return pods
      .filter(({ workload, pod }) => connected.has(pod) || !mayHaveFinished(workload))
      .map(({ pod }) => stateOf(pod, connected.get(pod), this.#seen.get(pod)));
  }
}

function ownStreams(
  workloads: readonly Workload[],
  subscribers: readonly SubscriberStatus[],
): ReadonlyMap<string, SubscriberStatus> {
  const uids = new Map(workloads.map(({ namespace, name, uid }) => [`${namespace}/${name}`, uid]));
  const own = new Map<string, SubscriberStatus>();
  for (const subscriber of subscribers) {
    const { name, pod, certificate } = subscriber;
    const isOwn =
      pod !== undefined &&
      `${pod.namespace}/${pod.podName}` === name &&
      pod.podUid === uids.get(name);
    const best = own.get(name)?.certificate.notBefore;
    if (isOwn && (best === undefined || certificate.notBefore >= best)) own.set(name, subscriber);
  }
  return own;
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
