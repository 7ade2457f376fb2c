/** `x describe pod` and `x describe service`, as istioctl prints them: out of a cluster's objects and its proxies. */
import { HauberkError } from "../../../runtime/hauberk-error.ts";
import { findObject, hasLabels, namespaceOf, type PodObject } from "./cluster-objects.ts";
import { type DescribedCluster, RULER, shortName } from "./description.ts";
import { ingressLines } from "./ingress-lines.ts";
import { peerAuthenticationLines } from "./peer-authentication-lines.ts";
import { isMeshed, PROXY_CONTAINER, podLines } from "./pod-lines.ts";
import { servicesLines } from "./service-lines.ts";

/** There is no such object in the cluster. */
export class NotInClusterError extends HauberkError {
  readonly code = "HAUBERK_NOT_IN_CLUSTER";
}

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

const REQUIREMENTS = "https://istio.io/docs/setup/kubernetes/additional-setup/requirements/";

/** @throws NotInClusterError, and what `configOf` throws */
export async function describePod(
  named: Named,
  cluster: DescribedCluster,
): Promise<readonly string[]> {
  const { objects } = cluster;
  const pod = findObject(objects.pods, named);
  if (pod === undefined) throw new NotInClusterError(`pods "${named.name}" not found`);
  const labels = pod.metadata.labels ?? {};
  const services = objects.services.filter(
    ({ metadata, spec }) =>
      namespaceOf(metadata) === named.namespace &&
      Object.keys(spec?.selector ?? {}).length > 0 &&
      hasLabels(labels, spec?.selector),
  );
  const name = shortName(pod.metadata, cluster);
  const config = isMeshed(pod) ? await cluster.configOf(named) : undefined;
  return [
    ...podLines(pod, cluster),
    ...(services.length > 0
      ? []
      : [`Warning: No Kubernetes Services select pod ${name} (see ${REQUIREMENTS} )`]),
    RULER,
    ...(config === undefined
      ? []
      : servicesLines({ services, pod, podsLabels: [labels], config }, cluster)),
    RULER,
    ...peerAuthenticationLines(objects, { namespace: named.namespace, labels }),
    ...(await ingressLines(services, [labels], cluster)),
  ];
}

/** @throws NotInClusterError, and what `configOf` throws */
export async function describeService(
  named: Named,
  cluster: DescribedCluster,
): Promise<readonly string[]> {
  const { objects } = cluster;
  const service = findObject(objects.services, named);
  if (service === undefined) throw new NotInClusterError(`services "${named.name}" not found`);
  const selector = service.spec?.selector ?? {};
  const selected =
    Object.keys(selector).length === 0
      ? []
      : objects.pods.filter(
          ({ metadata }) =>
            namespaceOf(metadata) === named.namespace && hasLabels(metadata.labels, selector),
        );
  const looked = selected.map((pod) => ({ pod, problem: problemOf(pod, cluster) }));
  const problems = looked.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const pods = looked.filter(({ problem }) => problem === undefined).map(({ pod }) => pod);
  const [first] = pods;
  const name = shortName(service.metadata, cluster);
  if (selected.length === 0) return [...problems, `Service "${name}" has no pods.`];
  if (first === undefined)
    return [
      ...problems,
      `Service "${name}" has no Istio pods.  (${selected.length} pods in service).`,
      "Use `istioctl kube-inject` or redeploy with Istio automatic sidecar injection.",
    ];
  const podsLabels = pods.map(({ metadata }) => metadata.labels ?? {});
  const config = await cluster.configOf({
    namespace: namespaceOf(first.metadata),
    name: first.metadata.name,
  });
  return [
    ...problems,
    ...servicesLines({ services: [service], pod: first, podsLabels, config }, cluster),
    ...(await ingressLines([service], podsLabels, cluster)),
  ];
}

/** Why a pod of a service is not looked at. */
function problemOf({ metadata, status }: PodObject, cluster: DescribedCluster): string | undefined {
  const name = shortName(metadata, cluster);
  const phase = status?.phase ?? "";
  if (phase !== "Running") return `   Pod is not Running (${phase})`;
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const proxy = statuses.find((one) => one.name === PROXY_CONTAINER);
  if (proxy === undefined) return `Pod ${name}: no container "${PROXY_CONTAINER}" in pod`;
  return proxy.ready ? undefined : `WARNING: Pod ${name} Container ${PROXY_CONTAINER} NOT READY`;
}
