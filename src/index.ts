/** The public library surface: what a program needs to read resources and ask what they mean. The only re-export file. */
export type {
  AuthorizationAction,
  AuthorizationPolicy,
  AuthorizationRule,
} from "./api/authorization-policy.ts";
export type { Deployment } from "./api/deployment.ts";
export type { MeshConfig, MeshSettings, PathNormalization } from "./api/mesh-config.ts";
export type { Namespace } from "./api/namespace.ts";
export { type ParsedResources, parseResources } from "./api/parse-resources.ts";
export type { PeerAuthentication, PeerAuthenticationMode } from "./api/peer-authentication.ts";
export {
  formatLocation,
  formatRef,
  type Issue,
  type Notice,
  type Resource,
  type ResourceMeta,
  type ResourceRef,
  type SourceLocation,
} from "./api/resource.ts";
export type { PortProtocol, Service, ServicePort } from "./api/service.ts";
export type { ServiceAccount } from "./api/service-account.ts";
export { type LoadedMesh, loadMesh } from "./cli/load-mesh.ts";
export { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "./identity/spiffe-id.ts";
export {
  authorizeConnection,
  authorizeRequest,
  type CompiledAuthorization,
  compileAuthorization,
} from "./policy/authorize.ts";
export { buildWorkloadView, buildWorkloadViews } from "./policy/build-workload-view.ts";
export type {
  Decision,
  MutualTlsMode,
  NearestMiss,
  Origin,
  Reason,
  RuleRef,
  UnmetCondition,
  Verdict,
} from "./policy/decision.ts";
export { explain, summarize } from "./policy/explain.ts";
export {
  type AskedRequest,
  type Judgement,
  judge,
  type Question,
  QuestionError,
  type Transport,
} from "./policy/judge.ts";
export { buildSnapshot, type MeshSnapshot } from "./policy/mesh-snapshot.ts";
export { normalizePath } from "./policy/path-normalization.ts";
export { type Placement, planWorkloads } from "./policy/plan-workloads.ts";
export type { Connection, HttpRequest } from "./policy/traffic.ts";
export type { SocketAddress, Workload, WorkloadPort } from "./policy/workload.ts";
export type {
  Destination,
  EffectiveAuthorization,
  EffectiveMutualTls,
  Endpoint,
  InboundPort,
  Trust,
  WorkloadView,
} from "./policy/workload-view.ts";
export { HauberkError } from "./runtime/hauberk-error.ts";
export { type AccessLogEntry, formatAccessLogEntry } from "./telemetry/access-log.ts";
