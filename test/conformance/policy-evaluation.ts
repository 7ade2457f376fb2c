/** Judges traffic by policies as users write them: parsed, selected and compiled as those of a sidecar are. */
import {
  authorizeConnection,
  authorizeRequest,
  compileAuthorization,
} from "../../src/policy/authorize.ts";
import { trustOf } from "../../src/policy/build-workload-view.ts";
import type { Decision } from "../../src/policy/decision.ts";
import { effectiveAuthorization } from "../../src/policy/effective-policy.ts";
import { buildSnapshot, type MeshSnapshot } from "../../src/policy/mesh-snapshot.ts";
import type { GatewaySelectors, PolicySubject } from "../../src/policy/policy-selection.ts";
import type { Connection, HttpRequest } from "../../src/policy/traffic.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "./upstream-objects.ts";

/** What a rule may say, as in YAML. */
export type WrittenRule = Readonly<Record<string, unknown>>;

export interface PolicyMesh {
  readonly policies: readonly UpstreamObject[];
  readonly meshConfig?: Readonly<Record<string, unknown>>;
  readonly gatewaySelectors?: GatewaySelectors;
  /** Whom the traffic is for; by default a workload without labels in `default`. */
  readonly subject?: PolicySubject;
}

const SOME_WORKLOAD: PolicySubject = { namespace: "default", labels: {} };

/** @throws Error listing the issues, if a policy or the mesh configuration has any */
export function snapshotOfPolicies({
  policies,
  meshConfig,
  gatewaySelectors,
}: Omit<PolicyMesh, "subject">): MeshSnapshot {
  const documents = policies.length === 0 ? [] : [yamlOf(policies.map(securityResource))];
  if (meshConfig !== undefined) documents.push(JSON.stringify(meshConfig));
  const resources = documents.flatMap(resourcesIn);
  return buildSnapshot({ resources, workloads: [], rootsPem: [], gatewaySelectors });
}

export function judgeRequest(mesh: PolicyMesh, request: HttpRequest): Decision {
  return authorizeRequest(compile(mesh, "http"), request);
}

export function judgeConnection(mesh: PolicyMesh, connection: Connection): Decision {
  return authorizeConnection(compile(mesh, "tcp"), connection);
}

/** Whether one ALLOW policy with these rules lets a request in. */
export function rulesMatchRequest(rules: readonly WrittenRule[], request: HttpRequest): boolean {
  return judgeRequest({ policies: [allowing(rules)] }, request).verdict === "allow";
}

/** Whether one ALLOW policy with these rules lets a connection in, on a port that is carried as TCP. */
export function rulesMatchConnection(
  rules: readonly WrittenRule[],
  connection: Connection,
): boolean {
  return judgeConnection({ policies: [allowing(rules)] }, connection).verdict === "allow";
}

/** Whether users can write such a policy: no gate and no reader refuses it. */
export function isAccepted(policy: UpstreamObject): boolean {
  try {
    return snapshotOfPolicies({ policies: [policy] }) !== undefined;
  } catch {
    return false;
  }
}

export function allowing(rules: readonly WrittenRule[]): UpstreamObject {
  return { spec: { rules } };
}

function compile(mesh: PolicyMesh, protocol: "http" | "tcp") {
  const snapshot = snapshotOfPolicies(mesh);
  const effective = effectiveAuthorization(snapshot, mesh.subject ?? SOME_WORKLOAD);
  return compileAuthorization(effective, { protocol, trust: trustOf(snapshot) });
}

function securityResource(object: UpstreamObject): UpstreamObject {
  return { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", ...object };
}
