/**
 * What is made for each Gateway of the Gateway API that asks for one of ours: a Deployment, a Service and a ServiceAccount,
 * called `<gateway>-<class>`. What the files say of the same name stays as it is.
 * Source: `manifests/charts/istio-control/istio-discovery/files/kube-gateway.yaml` of istio/istio
 */

import { OWN_CLASSES, OWN_CONTROLLERS } from "../api/gateway-api/gateway-class.ts";
import type {
  GatewayListenerSettings,
  KubernetesGateway,
} from "../api/gateway-api/kubernetes-gateway.ts";
import {
  MANAGED_GATEWAY,
  MANAGED_LABEL,
  PROXY_CONTAINER,
  TEMPLATES_ANNOTATION,
} from "../api/injection-templates.ts";
import { parseResources } from "../api/parse-resources.ts";
import type { Resource } from "../api/resource.ts";
import { ofKind } from "./mesh-snapshot.ts";

const NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
const CLASS_LABEL = "gateway.networking.k8s.io/gateway-class-name";
const NAME_OVERRIDE = "gateway.istio.io/name-override";

/** @param resources of all files */
export function deployedGateways(resources: readonly Resource[]): readonly Resource[] {
  const classes = ownClasses(resources);
  const written = new Set(resources.map(nameOf));
  return ofKind(resources, "KubernetesGateway")
    .filter(({ className, serviceHosts }) => classes.has(className) && serviceHosts.length === 0)
    .flatMap(resourcesFor)
    .filter((made) => !written.has(nameOf(made)));
}

/** `gateway-istio`: of what is made for it. */
export function deployedName({ meta, className }: KubernetesGateway): string {
  return meta.annotations[NAME_OVERRIDE] ?? `${meta.name}-${className}`;
}

function nameOf({ kind, meta }: Resource): string {
  return `${kind} ${meta.namespace}/${meta.name}`;
}

function ownClasses(resources: readonly Resource[]): ReadonlySet<string> {
  const written = ofKind(resources, "GatewayClass");
  const foreign = written.filter((one) => !OWN_CONTROLLERS.has(one.controllerName));
  const own = new Set([...OWN_CLASSES, ...written.map(({ meta }) => meta.name)]);
  for (const { meta } of foreign) own.delete(meta.name);
  return own;
}

function resourcesFor(gateway: KubernetesGateway): readonly Resource[] {
  const { source } = gateway.meta;
  const text = manifestsFor(gateway).map((manifest) => JSON.stringify(manifest));
  const { resources } = parseResources(text.join("\n---\n"), source.file);
  return resources.map((made) => ({ ...made, meta: { ...made.meta, source } }));
}

function manifestsFor(gateway: KubernetesGateway): readonly object[] {
  const { meta, className, infrastructure } = gateway;
  const name = deployedName(gateway);
  const own = { [NAME_LABEL]: meta.name, [CLASS_LABEL]: className };
  const labels = { ...infrastructure.labels, ...own };
  const selector = { [NAME_LABEL]: meta.name };
  const metadata = {
    name,
    namespace: meta.namespace,
    labels,
    annotations: infrastructure.annotations,
  };
  const template = {
    metadata: {
      labels: { ...labels, [MANAGED_LABEL]: MANAGED_GATEWAY },
      annotations: { ...infrastructure.annotations, [TEMPLATES_ANNOTATION]: "gateway" },
    },
    spec: { serviceAccountName: name, containers: [{ name: PROXY_CONTAINER, image: "auto" }] },
  };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { selector: { matchLabels: selector }, template },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { type: "LoadBalancer", selector, ports: servicePorts(gateway.listeners) },
    },
  ];
}

/** Several listeners may share a port. */
function servicePorts(listeners: readonly GatewayListenerSettings[]): readonly object[] {
  const ports = new Map(
    listeners.map(({ port, protocol }) => [port, protocol.toLowerCase()] as const),
  );
  return [...ports].map(([port, protocol]) => ({ name: `${protocol}-${port}`, port }));
}
