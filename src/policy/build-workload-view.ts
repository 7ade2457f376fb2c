/** From the snapshot to the view of one workload: effective policy, destinations and trust. */
import type { PortProtocol } from "../api/service.ts";
import { type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import { compileClientTls, withClientTls } from "./client-tls.ts";
import { buildDestinations, withListeners } from "./destinations.ts";
import { effectiveAuthorization, effectivePeerAuthentication } from "./effective-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { mutualTlsOfPort } from "./mutual-tls.ts";
import { targetContainerPort } from "./service-target.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Inbound, Trust, WorkloadView } from "./workload-view.ts";

/** The views of all workloads with a sidecar, by `namespace/pod`. */
export function buildWorkloadViews(snapshot: MeshSnapshot): ReadonlyMap<string, WorkloadView> {
  const destinations = buildDestinations(snapshot);
  return new Map(
    snapshot.workloads
      .filter(({ injected }) => injected)
      .map((workload) => [
        `${workload.namespace}/${workload.name}`,
        composeView(snapshot, { workload, destinations }),
      ]),
  );
}

/** All that one sidecar must know. */
export function buildWorkloadView(snapshot: MeshSnapshot, workload: Workload): WorkloadView {
  return composeView(snapshot, { workload, destinations: buildDestinations(snapshot) });
}

function composeView(
  snapshot: MeshSnapshot,
  {
    workload,
    destinations,
  }: { readonly workload: Workload; readonly destinations: readonly Destination[] },
): WorkloadView {
  const { namespace, name, owner, labels, serviceAccount, httpProxy } = workload;
  const clientTlsOf = compileClientTls(snapshot, workload);
  const reached = destinations.map((each) => withClientTls(each, clientTlsOf(each)));
  return {
    workload: {
      namespace,
      name,
      owner,
      labels,
      serviceAccount,
      identity: identityOf(workload, snapshot.settings.trustDomain),
    },
    trust: trustOf(snapshot),
    inbound: buildInbound(snapshot, workload),
    outbound: {
      ...(httpProxy && { httpProxy }),
      destinations: withListeners(reached, workload),
    },
  };
}

/** What is trusted in the whole mesh. */
export function trustOf({ settings, rootsPem }: MeshSnapshot): Trust {
  const { trustDomain, trustDomainAliases, minimumTlsVersion } = settings;
  return { trustDomain, trustDomainAliases, rootsPem, minimumTlsVersion };
}

/** The identity a workload proves (CA-17). */
export function identityOf(
  { namespace, serviceAccount }: Pick<Workload, "namespace" | "serviceAccount">,
  trustDomain: string,
): SpiffeId {
  return spiffeId({ trustDomain, namespace, serviceAccount });
}

function buildInbound(snapshot: MeshSnapshot, workload: Workload): Inbound {
  const peerAuthentication = effectivePeerAuthentication(snapshot, workload);
  return {
    ports: workload.ports.map(({ containerPort, listen, application }) => ({
      containerPort,
      protocol: inboundProtocol(snapshot, workload, containerPort),
      mutualTls: mutualTlsOfPort(peerAuthentication, containerPort),
      listen,
      application,
    })),
    authorization: effectiveAuthorization(snapshot, workload),
    pathNormalization: snapshot.settings.pathNormalization,
  };
}

/** What the services in front of a workload declare for one of its ports; where they differ, the first by name counts. */
function inboundProtocol(
  { servicesByNamespace }: MeshSnapshot,
  workload: Workload,
  containerPort: number,
): PortProtocol {
  for (const { service, workloads } of servicesByNamespace.get(workload.namespace) ?? []) {
    if (!workloads.includes(workload)) continue;
    const declared = service.ports.find(
      (port) => targetContainerPort(port, workload)?.containerPort === containerPort,
    );
    if (declared !== undefined) return declared.protocol;
  }
  return "auto";
}
