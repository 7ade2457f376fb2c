/** The public library surface: what a program needs to read resources and ask what they mean. The only re-export file. */
export type {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationRule,
} from "./api/authorization-policy.ts";
export type { ClientTls } from "./api/client-tls.ts";
export type { ConfigMap } from "./api/config-map.ts";
export type { Container, ContainerPort } from "./api/container.ts";
export type { DataSource, VolumeItem } from "./api/data-source.ts";
export type { Deployment } from "./api/deployment.ts";
export type { DestinationRule, Subset } from "./api/destination-rule.ts";
export type {
  EnvironmentBundle,
  EnvironmentSource,
  EnvironmentVariable,
} from "./api/environment-variable.ts";
export type { ImageCommand, ImageCommands } from "./api/image-commands.ts";
export type { InterceptionSettings } from "./api/interception-settings.ts";
export type { Job } from "./api/job.ts";
export type { MeshConfig } from "./api/mesh-config.ts";
export type { MeshSettings, PathNormalization } from "./api/mesh-settings.ts";
export type { Namespace } from "./api/namespace.ts";
export { type ParsedResources, parseResources } from "./api/parse-resources.ts";
export type { PeerAuthentication, PeerAuthenticationMode } from "./api/peer-authentication.ts";
export type { PodTemplate, RestartPolicy } from "./api/pod-template.ts";
export type { Probe, ProbeCheck } from "./api/probe.ts";
export type { Limit, RateLimit } from "./api/rate-limit.ts";
export type { RemoteCluster } from "./api/remote-cluster.ts";
export {
  formatLocation,
  formatRef,
  type Issue,
  type Labels,
  type Notice,
  type PodOwner,
  type Resource,
  type ResourceKind,
  type ResourceMeta,
  type ResourceRef,
  type SourceLocation,
} from "./api/resource.ts";
export type { Secret } from "./api/secret.ts";
export type { PortProtocol, Service, ServicePort } from "./api/service.ts";
export type { ServiceAccount } from "./api/service-account.ts";
export type { StatefulSet } from "./api/stateful-set.ts";
export type { TrafficPolicy, TrafficPolicyComponents } from "./api/traffic-policy.ts";
export type {
  ClaimVolume,
  DataVolume,
  EmptyVolume,
  HostPathVolume,
  ProjectedVolume,
  Volume,
} from "./api/volume.ts";
export type { VolumeMount } from "./api/volume-mount.ts";
export { type LoadedMesh, loadMesh } from "./cli/load-mesh.ts";
export { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "./identity/spiffe-id.ts";
export type { Assumptions } from "./policy/assumptions.ts";
export {
  authorizeConnection,
  authorizeRequest,
  type CompiledAuthorization,
  compileAuthorization,
} from "./policy/authorize.ts";
export { buildWorkloadView, buildWorkloadViews } from "./policy/build-workload-view.ts";
export { ConnectionAuthorization } from "./policy/connection-authorization.ts";
export type {
  Decision,
  MutualTlsMode,
  NearestMiss,
  Origin,
  Reason,
  ResourceOrigin,
  RuleRef,
  UnmetCondition,
  Verdict,
} from "./policy/decision.ts";
export { explain, summarize } from "./policy/explain.ts";
export { type Judgement, judge, type Transport } from "./policy/judge.ts";
export { meshNotices } from "./policy/mesh-notices.ts";
export {
  buildSnapshot,
  type MeshSnapshot,
  type SelectedWorkloads,
} from "./policy/mesh-snapshot.ts";
export { normalizePath } from "./policy/path-normalization.ts";
export { type Placement, planWorkloads, podTemplateOf } from "./policy/plan-workloads.ts";
export {
  type AskedRequest,
  BadRequestError,
  type Caller,
  type IdentifiedCaller,
  type Question,
  QuestionError,
} from "./policy/question.ts";
export type { ServicePortName } from "./policy/route.ts";
export type { Connection, HttpRequest } from "./policy/traffic.ts";
export type { IpAddresses, SocketAddress, Workload, WorkloadPort } from "./policy/workload.ts";
export type {
  Destination,
  EffectiveAuthorization,
  EffectiveClientTls,
  EffectiveMutualTls,
  Endpoint,
  InboundPort,
  Trust,
  WorkloadView,
} from "./policy/workload-view.ts";
export { HauberkError } from "./runtime/hauberk-error.ts";
export { type AccessLogEntry, formatAccessLogEntry } from "./telemetry/access-log.ts";
