/** Which workload a logged call came from and went to, as far as the mesh's pods tell, those that ended included. Pure. */
import { canBePodOf } from "../policy/pod-names.ts";
import type { LoggedCall, PodFacts } from "./mesh-source.ts";

/** Callers that proved nothing, and whose address is no pod's. */
export const WITHOUT_IDENTITY = "without identity";
/** Where a caller's sidecar does not know a pod. */
const ELSEWHERE = "outside the mesh";

export interface CallEnds {
  readonly from: string;
  readonly to: string;
  readonly security: "mutual-tls" | "plaintext";
}

export class ServiceNames {
  readonly #ofPod: Map<string, string> = new Map();
  readonly #ofIdentity: Map<string, string> = new Map();
  readonly #ofAddress: Map<string, string> = new Map();
  /** `address:port` of pods without a sidecar. */
  readonly #bare: Map<string, string> = new Map();

  readonly #pods: readonly PodFacts[];

  /** @param ended pods that were seen before: what they were counts where no pod of now has it */
  constructor(pods: readonly PodFacts[], ended: readonly PodFacts[] = []) {
    this.#pods = pods;
    for (const pod of ended) this.#learn(pod);
    const before = new Map(this.#ofIdentity);
    this.#ofIdentity.clear();
    for (const pod of pods) {
      // An address of now is this pod's, whoever had it before.
      for (const { listen } of pod.ports) this.#bare.delete(`${listen.address}:${listen.port}`);
      this.#learn(pod);
    }
    for (const [identity, service] of before)
      if (!this.#ofIdentity.has(identity)) this.#ofIdentity.set(identity, service);
  }

  /**
   * The callee's sidecar knows how it was called; the caller's is asked only where there is none at the other end.
   *
   * @returns undefined where the other side tells of the same call, or nobody knows where it went
   */
  endsOf({ pod, entry }: LoggedCall): CallEnds | undefined {
    const own = this.#workloadOf(pod);
    if (entry.reporter === "destination") {
      const security = entry.source_principal === null ? "plaintext" : "mutual-tls";
      return { from: this.#callerOf(entry), to: own, security };
    }
    const { upstream_host: host, upstream_cluster: cluster } = entry;
    const bare = host === null ? undefined : this.#bare.get(host);
    if (bare !== undefined) return { from: own, to: bare, security: "plaintext" };
    const isOut = cluster === "PassthroughCluster";
    return isOut ? { from: own, to: ELSEWHERE, security: "plaintext" } : undefined;
  }

  /** A pod that ended before anybody looked has left nothing but its name. */
  #workloadOf(pod: string): string {
    const known = this.#ofPod.get(pod);
    if (known !== undefined) return known;
    const [namespace, name = ""] = pod.split("/");
    const kin = this.#pods.find(
      (one) => one.namespace === namespace && canBePodOf(one.owner, name),
    );
    const service = kin === undefined ? pod : `${namespace}/${kin.owner}`;
    this.#ofPod.set(pod, service);
    return service;
  }

  #callerOf(entry: LoggedCall["entry"]): string {
    const { source_principal: principal, downstream_remote_address: remote } = entry;
    if (principal !== null) return this.#ofIdentity.get(principal) ?? shortIdentity(principal);
    const address = remote?.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    return (address && this.#ofAddress.get(address)) || WITHOUT_IDENTITY;
  }

  #learn(pod: PodFacts): void {
    const { namespace, name, owner, identity } = pod;
    const service = `${namespace}/${owner}`;
    this.#ofPod.set(`${namespace}/${name}`, service);
    for (const address of Object.values(pod.addresses ?? {})) this.#ofAddress.set(address, service);
    if (identity === undefined) {
      for (const { listen } of pod.ports)
        this.#bare.set(`${listen.address}:${listen.port}`, service);
      return;
    }
    const known = this.#ofIdentity.get(identity) ?? service;
    this.#ofIdentity.set(identity, known === service ? service : shortIdentity(identity));
  }
}

/** Several workloads may prove the same: then the service account is named. */
function shortIdentity(identity: string): string {
  const [, namespace, account] = /\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(identity) ?? [];
  return namespace === undefined ? identity : `${namespace}, account ${account}`;
}
