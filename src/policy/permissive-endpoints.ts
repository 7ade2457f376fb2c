/**
 * Which endpoints take plaintext beside mutual TLS. A proxy need not know: under PERMISSIVE a callee's proxy knows the mesh's
 * TLS by protocol names (TLS-2). gRPC programs that are proxies themselves cannot say them.
 */
import type { PeerAuthenticationMode } from "../api/peer-authentication.ts";
import { effectivePeerAuthentication } from "./effective-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type ComposedPeerAuthentication, mutualTlsOfPort } from "./mutual-tls.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint } from "./workload-view.ts";

/** Of a namespace the pods are told the same. */
const known = new WeakMap<MeshSnapshot, WeakMap<readonly Destination[], readonly Destination[]>>();

/** The same destinations, with a word at those endpoints; of other clusters nothing is known. */
export function withPermissive(
  snapshot: MeshSnapshot,
  destinations: readonly Destination[],
): readonly Destination[] {
  const ofSnapshot = known.get(snapshot) ?? new WeakMap();
  known.set(snapshot, ofSnapshot);
  const told = ofSnapshot.get(destinations) ?? tell(snapshot, destinations);
  ofSnapshot.set(destinations, told);
  return told;
}

function tell(
  snapshot: MeshSnapshot,
  destinations: readonly Destination[],
): readonly Destination[] {
  const modes = new ModesOfPods(snapshot);
  return destinations.map((destination) => {
    const { endpoints, serviceNamespace } = destination;
    const isPermissive = (endpoint: Endpoint): boolean =>
      endpoint.mutualTls && modes.of(endpoint, serviceNamespace) === "PERMISSIVE";
    if (!endpoints.some(isPermissive)) return destination;
    const told = endpoints.map(
      (one): Endpoint => (isPermissive(one) ? { ...one, permissive: true } : one),
    );
    return { ...destination, endpoints: told };
  });
}

class ModesOfPods {
  readonly #snapshot: MeshSnapshot;
  readonly #pods: ReadonlyMap<string, Workload>;
  readonly #composed = new Map<Workload, ComposedPeerAuthentication>();

  constructor(snapshot: MeshSnapshot) {
    this.#snapshot = snapshot;
    this.#pods = new Map(
      snapshot.workloads.map((one) => [`${one.namespace}/${one.name}`, one] as const),
    );
  }

  of({ workload: name, address }: Endpoint, namespace: string): PeerAuthenticationMode | undefined {
    const workload = this.#pods.get(`${namespace}/${name}`);
    const port = workload?.ports.find(
      ({ listen }) => listen.address === address.address && listen.port === address.port,
    );
    if (workload === undefined || port === undefined) return undefined;
    const composed =
      this.#composed.get(workload) ?? effectivePeerAuthentication(this.#snapshot, workload);
    this.#composed.set(workload, composed);
    return mutualTlsOfPort(composed, port.containerPort).mode;
  }
}
