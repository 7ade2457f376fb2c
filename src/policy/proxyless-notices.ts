/** What pods whose gRPC programs are their own proxies (INJ-15) will not do as their author may think. */
import { isGrpcAgentTemplate, TEMPLATES_ANNOTATION } from "../api/injection-templates.ts";
import { formatRef, type Notice, type PodOwner, type Resource } from "../api/resource.ts";
import { shortList } from "../api/short-list.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { effectivePeerAuthentication } from "./effective-policy.ts";
import { buildSnapshot, type MeshSnapshot, podOwners } from "./mesh-snapshot.ts";
import { mutualTlsOfPort } from "./mutual-tls.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint } from "./workload-view.ts";

export function proxylessNotices(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const askers = podOwners(resources).filter(({ template }) => isGrpcAgentTemplate(template));
  if (askers.length === 0) return [];
  const running = workloads.map((workload) => ({ ...workload, ready: true }));
  const snapshot = buildSnapshot({ resources, workloads: running, rootsPem: [] });
  return askers.flatMap((owner) => {
    const caller = running.find(
      ({ namespace, owner: name }) =>
        namespace === owner.meta.namespace && name === owner.meta.name,
    );
    const message = caller && problemOf(owner, caller, snapshot);
    if (message === undefined) return [];
    const path = `spec.template.metadata.annotations["${TEMPLATES_ANNOTATION}"]`;
    return { source: owner.meta.source, path, message };
  });
}

function problemOf(
  { kind, meta }: PodOwner,
  caller: Workload,
  snapshot: MeshSnapshot,
): string | undefined {
  const name = formatRef({ kind, ...meta });
  if (!caller.injected)
    return `${name} asks for grpc-agent, and its pods have no proxy that could serve it; label them sidecar.istio.io/inject: "true"`;
  const { destinations } = buildWorkloadView(snapshot, caller).outbound;
  const unreached = destinations.filter((one) => isUnreached(one, snapshot));
  if (unreached.length === 0) return undefined;
  const called = unreached.map(
    (one) => `${one.serviceNamespace}/${one.serviceName}:${one.servicePort}`,
  );
  return `gRPC programs of ${name} cannot call ${shortList(called)} by xds: under PERMISSIVE a proxy knows the mesh's TLS by names that gRPC does not say; make the callee STRICT, or disable TLS with a DestinationRule`;
}

/** Of those that are declared to speak gRPC, or HTTP/2. */
function isUnreached(
  { protocol, clientTls, endpoints, serviceNamespace }: Destination,
  snapshot: MeshSnapshot,
): boolean {
  if (protocol !== "http2" || clientTls?.mode === "DISABLE") return false;
  return endpoints.some(
    (endpoint) =>
      endpoint.mutualTls && modeOf(endpoint, serviceNamespace, snapshot) === "PERMISSIVE",
  );
}

function modeOf({ workload: name, address }: Endpoint, namespace: string, snapshot: MeshSnapshot) {
  const workload = snapshot.workloads.find(
    (one) => one.namespace === namespace && one.name === name,
  );
  const port = workload?.ports.find(
    ({ listen }) => listen.address === address.address && listen.port === address.port,
  );
  if (workload === undefined || port === undefined) return undefined;
  const effective = effectivePeerAuthentication(snapshot, workload);
  return mutualTlsOfPort(effective, port.containerPort).mode;
}
