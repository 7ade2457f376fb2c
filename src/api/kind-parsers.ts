/** How each kind is read: what it is served as, where it lives, what it may be called, and by which reader. */
import { authorizationPolicy } from "./authorization-policy.ts";
import { type CheckedKind, checkedResource } from "./checked-resource.ts";
import { configMap } from "./config-map.ts";
import type { Check, Fields } from "./decoder.ts";
import { deployment } from "./deployment.ts";
import { destinationRule } from "./destination-rule.ts";
import { imageCommands } from "./image-commands.ts";
import { job } from "./job.ts";
import { namespace } from "./namespace.ts";
import { networkPolicy } from "./network-policy.ts";
import { peerAuthentication } from "./peer-authentication.ts";
import { clusterNameProblem, remoteCluster } from "./remote-cluster.ts";
import { requestAuthentication } from "./request-authentication.ts";
import type { Resource, ResourceKind, ResourceMeta } from "./resource.ts";
import { labelNameProblem, serviceNameProblem, subdomainProblem } from "./resource-names.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./service-account.ts";
import { statefulSet } from "./stateful-set.ts";
import { telemetry } from "./telemetry.ts";

export interface KindParser {
  readonly apiVersions: readonly string[];
  readonly scope: "namespaced" | "cluster";
  readonly nameProblem: Check;
  /** Reads what `schemaOfKind` and `webhookOfKind` found good, where the kind is Istio's. */
  parse(meta: ResourceMeta, root: Fields): Resource;
}

const SECURITY_VERSIONS = ["security.istio.io/v1", "security.istio.io/v1beta1"];
const NETWORKING_VERSIONS = [
  "networking.istio.io/v1",
  "networking.istio.io/v1beta1",
  "networking.istio.io/v1alpha3",
];

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
  Gateway: checkedKind("Gateway", NETWORKING_VERSIONS),
  ProxyConfig: checkedKind("ProxyConfig", PROXY_CONFIG_VERSIONS),
  ServiceEntry: checkedKind("ServiceEntry", NETWORKING_VERSIONS),
  Sidecar: checkedKind("Sidecar", NETWORKING_VERSIONS),
  VirtualService: checkedKind("VirtualService", NETWORKING_VERSIONS),
  WasmPlugin: checkedKind("WasmPlugin", ["extensions.istio.io/v1alpha1"]),
  WorkloadEntry: checkedKind("WorkloadEntry", NETWORKING_VERSIONS),
  WorkloadGroup: checkedKind("WorkloadGroup", NETWORKING_VERSIONS),
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
  RemoteCluster: {
    apiVersions: ["hauberk.dev/v1"],
    scope: "cluster",
    nameProblem: clusterNameProblem,
    parse: remoteCluster,
  },
};

/** But for MeshConfig, which has several forms. */
export const KIND_PARSERS: ReadonlyMap<string, KindParser> = new Map(Object.entries(KINDS));
