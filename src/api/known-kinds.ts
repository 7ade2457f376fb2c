/** Kinds that exist in Kubernetes, Istio and the Gateway API, so that "not supported yet" can be told from a typing error. */

const KUBERNETES = [
  "APIService",
  "Binding",
  "CSIDriver",
  "CSINode",
  "CSIStorageCapacity",
  "CertificateSigningRequest",
  "ClusterRole",
  "ClusterRoleBinding",
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
  "Role",
  "RoleBinding",
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
  "GatewayClass",
  "HTTPRoute",
  "ListenerSet",
  "ReferenceGrant",
  "TCPRoute",
  "TLSRoute",
  "UDPRoute",
];

export const UNSUPPORTED_KINDS: ReadonlySet<string> = new Set([
  ...KUBERNETES,
  ...ISTIO,
  ...GATEWAY_API,
]);

/** Kinds that another API has by the same name. */
const NAMESAKES: ReadonlyMap<string, string> = new Map([["Gateway", "gateway.networking.k8s.io"]]);

/** Whether the kind is not the one we read, but its namesake. */
export function isUnsupportedGroup(kind: string, apiVersion: string): boolean {
  const group = NAMESAKES.get(kind);
  return group !== undefined && apiVersion.startsWith(`${group}/`);
}
