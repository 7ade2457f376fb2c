/** What all resources share: where they were written, what they are called, and the union of the kinds. */
import type { AuthorizationPolicy } from "./authorization-policy.ts";
import type { CheckedResource } from "./checked-resource.ts";
import type { ConfigMap } from "./config-map.ts";
import type { Deployment } from "./deployment.ts";
import type { DestinationRule } from "./destination-rule.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayClass } from "./gateway-api/gateway-class.ts";
import type { HttpRouteResource } from "./gateway-api/http-route.ts";
import type { KubernetesGateway } from "./gateway-api/kubernetes-gateway.ts";
import type { ReferenceGrant } from "./gateway-api/reference-grant.ts";
import type { ImageCommands } from "./image-commands.ts";
import type { Job } from "./job.ts";
import { writtenKind } from "./known-kinds.ts";
import type { MeshConfig } from "./mesh-config.ts";
import type { Namespace } from "./namespace.ts";
import type { NetworkPolicy } from "./network-policy.ts";
import type { PeerAuthentication } from "./peer-authentication.ts";
import type { ProxyConfigResource } from "./proxy-config-resource.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { RemoteCluster } from "./remote-cluster.ts";
import type { RequestAuthentication } from "./request-authentication.ts";
import type { Role } from "./role.ts";
import type { RoleBinding } from "./role-binding.ts";
import type { Secret } from "./secret.ts";
import type { Service } from "./service.ts";
import type { ServiceAccount } from "./service-account.ts";
import type { ServiceEntry } from "./service-entry.ts";
import type { StatefulSet } from "./stateful-set.ts";
import type { Telemetry } from "./telemetry.ts";
import type { VirtualService } from "./virtual-service.ts";
import type { WorkloadEntry } from "./workload-entry.ts";

/** A place in a file the user wrote. `line` counts from 1. */
export interface SourceLocation {
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  /** Where relative paths lead from; absent: the folder of the file. */
  readonly folder?: string;
}

/** Names one resource. `namespace` is "" for kinds that live in none. */
export interface ResourceRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ResourceMeta {
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339, as written; absent in files that were never applied to a cluster. */
  readonly creationTimestamp?: string;
  readonly source: SourceLocation;
}

export type Labels = Readonly<Record<string, string>>;

export type Resource =
  | Namespace
  | ServiceAccount
  | Service
  | Deployment
  | StatefulSet
  | Job
  | ConfigMap
  | Secret
  | PeerAuthentication
  | ProxyConfigResource
  | AuthorizationPolicy
  | DestinationRule
  | NetworkPolicy
  | RequestAuthentication
  | Telemetry
  | Role
  | RoleBinding
  | ServiceEntry
  | WorkloadEntry
  | Gateway
  | VirtualService
  | KubernetesGateway
  | GatewayClass
  | HttpRouteResource
  | ReferenceGrant
  | CheckedResource
  | MeshConfig
  | ImageCommands
  | RemoteCluster
  | RateLimit;

export type ResourceKind = Resource["kind"];

/** Kinds that make pods, from a template. */
export type PodOwner = Deployment | StatefulSet | Job;

/**
 * Istio's two gates, which differ: the schema of the kind, as an API server applies it, and the rules of istiod's
 * webhook. What only this product says has no level.
 */
export type CheckLevel = "schema" | "webhook";

/** "document": what stands before both gates, as no API server takes it: broken YAML, no such kind, faulty metadata. */
export type IssueLevel = "document" | CheckLevel;

/** Something wrong with what the user wrote; the resource is not used until it is mended. */
export interface Issue {
  readonly source: SourceLocation;
  /** Dotted path inside the document, such as `spec.mtls.mode`; "" for the document as a whole. */
  readonly path: string;
  /** What is wrong, and what was expected instead. */
  readonly problem: string;
  readonly level?: IssueLevel;
  /**
   * "type": the value is not of the type that is asked for, so that nothing else said of it matters. "rest": no fault of
   * its own, but how many more there are.
   */
  readonly about?: "type" | "rest";
}

/** Something accepted that the user should know, such as a field without effect here. */
export interface Notice {
  readonly source: SourceLocation;
  readonly path: string;
  readonly message: string;
  readonly level?: CheckLevel;
}

/** `AuthorizationPolicy production/deny-all`, as users write it in talk. */
export function formatRef({ kind, namespace, name }: ResourceRef): string {
  const written = writtenKind(kind);
  return namespace === "" ? `${written} ${name}` : `${written} ${namespace}/${name}`;
}

/** `mesh.yaml:12`, as editors and terminals link it; `mesh.yaml` of the file as a whole. */
export function formatLocation({ file, line }: SourceLocation): string {
  return line === 0 ? file : `${file}:${line}`;
}
