/** What pods whose gRPC programs are their own proxies (INJ-15) will not do as their author may think. */
import { isGrpcAgentTemplate, TEMPLATES_ANNOTATION } from "../api/injection-templates.ts";
import { formatRef, type Notice, type PodOwner, type Resource } from "../api/resource.ts";
import { shortList } from "../api/short-list.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { buildSnapshot, type MeshSnapshot, podOwners } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";
import type { Destination } from "./workload-view.ts";

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
  const grpc = destinations.filter(({ protocol }) => protocol === "http2");
  const unreached = grpc.filter(
    ({ clientTls, endpoints }) =>
      clientTls?.mode === "ISTIO_MUTUAL" && endpoints.some(({ permissive }) => permissive),
  );
  if (unreached.length > 0)
    return `gRPC programs of ${name} cannot call ${listed(unreached)} by xds: a DestinationRule says ISTIO_MUTUAL, and ${UNKNOWN_TLS}; make the callee STRICT, or take the rule away`;
  const plain = grpc.filter(
    ({ clientTls, endpoints }) =>
      clientTls === undefined &&
      endpoints.some(({ permissive }) => permissive) &&
      endpoints.every(({ mutualTls, permissive }) => permissive || !mutualTls),
  );
  if (plain.length === 0) return undefined;
  return `gRPC programs of ${name} call ${listed(plain)} in plaintext by xds, and prove no identity: ${UNKNOWN_TLS}; make the callee STRICT`;
}

const UNKNOWN_TLS = "under PERMISSIVE a proxy knows the mesh's TLS by names that gRPC does not say";

function listed(destinations: readonly Destination[]): string {
  return shortList(
    destinations.map((one) => `${one.serviceNamespace}/${one.serviceName}:${one.servicePort}`),
  );
}
