/** How each kind is read: what it is served as, where it lives, what it may be called, and by which reader. */
import { authorizationPolicy } from "./authorization-policy.ts";
import { type CheckedKind, checkedResource } from "./checked-resource.ts";
import { configMap } from "./config-map.ts";
import type { Check, Fields } from "./decoder.ts";
import { deployment } from "./deployment.ts";
import { destinationRule } from "./destination-rule.ts";
import { gateway } from "./gateway.ts";
import { gatewayClass } from "./gateway-api/gateway-class.ts";
import { httpRoute } from "./gateway-api/http-route.ts";
import { kubernetesGateway } from "./gateway-api/kubernetes-gateway.ts";
import { referenceGrant } from "./gateway-api/reference-grant.ts";
import { imageCommands } from "./image-commands.ts";
import { job } from "./job.ts";
import { namespace } from "./namespace.ts";
import { networkPolicy } from "./network-policy.ts";
import { peerAuthentication } from "./peer-authentication.ts";
import { proxyConfigResource } from "./proxy-config-resource.ts";
import { rateLimit } from "./rate-limit.ts";
import { clusterNameProblem, remoteCluster } from "./remote-cluster.ts";
import { requestAuthentication } from "./request-authentication.ts";
import type { Resource, ResourceKind, ResourceMeta } from "./resource.ts";
import { labelNameProblem, serviceNameProblem, subdomainProblem } from "./resource-names.ts";
import { role, roleNameProblem } from "./role.ts";
import { roleBinding } from "./role-binding.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./service-account.ts";
import { serviceEntry } from "./service-entry.ts";
import { statefulSet } from "./stateful-set.ts";
import { telemetry } from "./telemetry.ts";
import { virtualService } from "./virtual-service.ts";
import { workloadEntry } from "./workload-entry.ts";

export interface KindParser {
  readonly apiVersions: readonly string[];
  readonly scope: "namespaced" | "cluster";
  readonly nameProblem: Check;
  /** Reads what `schemaOfKind` and `webhookOfKind` found good, where the kind is Istio's. */
  parse(meta: ResourceMeta, root: Fields): Resource;
}

const RBAC_VERSIONS = ["rbac.authorization.k8s.io/v1"];
const SECURITY_VERSIONS = ["security.istio.io/v1", "security.istio.io/v1beta1"];
const NETWORKING_VERSIONS = [
  "networking.istio.io/v1",
  "networking.istio.io/v1beta1",
  "networking.istio.io/v1alpha3",
];

const GATEWAY_API_VERSIONS = ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"];

/** Kinds that have never left the first version they were served in. */
const PROXY_CONFIG_VERSIONS = ["networking.istio.io/v1beta1"];
const ENVOY_FILTER_VERSIONS = ["networking.istio.io/v1alpha3"];
const TELEMETRY_VERSIONS = ["telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"];

function checkedKind(kind: CheckedKind, apiVersions: readonly string[]): KindParser {
  return {
    apiVersions,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: checkedResource(kind),
  };
}

const KINDS: { readonly [kind in Exclude<ResourceKind, "MeshConfig">]: KindParser } = {
  Namespace: {
    apiVersions: ["v1"],
    scope: "cluster",
    nameProblem: labelNameProblem,
    parse: namespace,
  },
  ServiceAccount: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: serviceAccount,
  },
  Service: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: serviceNameProblem,
    parse: service,
  },
  Deployment: {
    apiVersions: ["apps/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: deployment,
  },
  StatefulSet: {
    apiVersions: ["apps/v1"],
    scope: "namespaced",
    nameProblem: labelNameProblem,
    parse: statefulSet,
  },
  Job: {
    apiVersions: ["batch/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: job,
  },
  ConfigMap: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: configMap,
  },
  Secret: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: secret,
  },
  Role: {
    apiVersions: RBAC_VERSIONS,
    scope: "namespaced",
    nameProblem: roleNameProblem,
    parse: role("Role"),
  },
  ClusterRole: {
    apiVersions: RBAC_VERSIONS,
    scope: "cluster",
    nameProblem: roleNameProblem,
    parse: role("ClusterRole"),
  },
  RoleBinding: {
    apiVersions: RBAC_VERSIONS,
    scope: "namespaced",
    nameProblem: roleNameProblem,
    parse: roleBinding("RoleBinding"),
  },
  ClusterRoleBinding: {
    apiVersions: RBAC_VERSIONS,
    scope: "cluster",
    nameProblem: roleNameProblem,
    parse: roleBinding("ClusterRoleBinding"),
  },
  PeerAuthentication: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: peerAuthentication,
  },
  AuthorizationPolicy: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: authorizationPolicy,
  },
  DestinationRule: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: destinationRule,
  },
  RequestAuthentication: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: requestAuthentication,
  },
  Telemetry: {
    apiVersions: TELEMETRY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: telemetry,
  },
  EnvoyFilter: checkedKind("EnvoyFilter", ENVOY_FILTER_VERSIONS),
  Gateway: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: gateway,
  },
  ProxyConfig: {
    apiVersions: PROXY_CONFIG_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: proxyConfigResource,
  },
  ServiceEntry: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: serviceEntry,
  },
  Sidecar: checkedKind("Sidecar", NETWORKING_VERSIONS),
  VirtualService: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: virtualService,
  },
  WasmPlugin: checkedKind("WasmPlugin", ["extensions.istio.io/v1alpha1"]),
  WorkloadEntry: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: workloadEntry,
  },
  WorkloadGroup: checkedKind("WorkloadGroup", NETWORKING_VERSIONS),
  KubernetesGateway: {
    apiVersions: GATEWAY_API_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: kubernetesGateway,
  },
  GatewayClass: {
    apiVersions: GATEWAY_API_VERSIONS,
    scope: "cluster",
    nameProblem: subdomainProblem,
    parse: gatewayClass,
  },
  HTTPRoute: {
    apiVersions: GATEWAY_API_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: httpRoute,
  },
  ReferenceGrant: {
    apiVersions: GATEWAY_API_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: referenceGrant,
  },
  NetworkPolicy: {
    apiVersions: ["networking.k8s.io/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: networkPolicy,
  },
  ImageCommands: {
    apiVersions: ["hauberk.dev/v1"],
    scope: "cluster",
    nameProblem: subdomainProblem,
    parse: imageCommands,
  },
  RateLimit: {
    apiVersions: ["hauberk.dev/v1alpha1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: rateLimit,
  },
  RemoteCluster: {
    apiVersions: ["hauberk.dev/v1"],
    scope: "cluster",
    nameProblem: clusterNameProblem,
    parse: remoteCluster,
  },
};

/** But for MeshConfig, which has several forms. */
export const KIND_PARSERS: ReadonlyMap<string, KindParser> = new Map(Object.entries(KINDS));
