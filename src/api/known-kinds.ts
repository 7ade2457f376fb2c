/** Kinds that exist in Kubernetes, Istio and the Gateway API, so that "not supported yet" can be told from a typing error. */

const KUBERNETES = [
  "APIService",
  "Binding",
  "CSIDriver",
  "CSINode",
  "CSIStorageCapacity",
  "CertificateSigningRequest",
  "ClusterTrustBundle",
  "ControllerRevision",
  "CronJob",
  "CustomResourceDefinition",
  "DaemonSet",
  "DeviceClass",
  "EndpointSlice",
  "Endpoints",
  "Event",
  "FlowSchema",
  "HorizontalPodAutoscaler",
  "IPAddress",
  "Ingress",
  "IngressClass",
  "Lease",
  "LimitRange",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "MutatingWebhookConfiguration",
  "Node",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Pod",
  "PodDisruptionBudget",
  "PodTemplate",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "ReplicaSet",
  "ReplicationController",
  "ResourceClaim",
  "ResourceClaimTemplate",
  "ResourceQuota",
  "ResourceSlice",
  "RuntimeClass",
  "ServiceCIDR",
  "StorageClass",
  "StorageVersionMigration",
  "TokenReview",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
  "VolumeAttributesClass",
];

const ISTIO = ["TrafficExtension"];

const GATEWAY_API = [
  "BackendTLSPolicy",
  "GRPCRoute",
  "ListenerSet",
  "TCPRoute",
  "TLSRoute",
  "UDPRoute",
];

export const UNSUPPORTED_KINDS: ReadonlySet<string> = new Set([
  ...KUBERNETES,
  ...ISTIO,
  ...GATEWAY_API,
]);

/** Kinds of the Gateway API that another API has by the same name, and what they are called here. */
const NAMESAKES: ReadonlyMap<string, string> = new Map([["Gateway", "KubernetesGateway"]]);

/**
 * The kind as it is called here. Nobody writes those names.
 *
 * @returns undefined for one of them
 */
export function ownKind(kind: string, apiVersion: string): string | undefined {
  if (WRITTEN.has(kind)) return undefined;
  return apiVersion.startsWith("gateway.networking.k8s.io/") ? (NAMESAKES.get(kind) ?? kind) : kind;
}

/** The kind as users write it. */
export function writtenKind(kind: string): string {
  return WRITTEN.get(kind) ?? kind;
}

const WRITTEN: ReadonlyMap<string, string> = new Map(
  [...NAMESAKES].map(([written, own]) => [own, written]),
);
