/**
 * Which policies are for a workload: by its labels, or, for gateways of the Gateway API and for waypoints, by what the
 * policies target (AP-10..AP-18, JWT-2). PeerAuthentication selects by rules of its own: `mutual-tls.ts`.
 */
import type { TargetRef } from "../api/authorization-policy.ts";
import { selects } from "../api/label-selector.ts";
import type { Labels, ResourceMeta } from "../api/resource.ts";

/** Which workload is asked about. */
export interface PolicySubject {
  readonly namespace: string;
  readonly labels: Labels;
  /** Present for a waypoint alone, which is for services and not for itself (AP-16). */
  readonly waypoint?: { readonly services: readonly ServedService[] };
}

/** A service behind a waypoint, as a policy may target it. */
export interface ServedService {
  readonly kind: "Service" | "ServiceEntry";
  readonly namespace: string;
  readonly name: string;
}

/** Whether a selector may select a gateway of the Gateway API: `ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY` (AP-15). */
export type GatewaySelectors = "honoured" | "ignored";

export interface SelectionOptions {
  readonly rootNamespace: string;
  readonly gatewaySelectors?: GatewaySelectors | undefined;
}

/** A policy that says whom it is for by `selector` or by `targetRefs`. */
export interface TargetablePolicy {
  readonly meta: Pick<ResourceMeta, "namespace">;
  readonly selector: Labels;
  readonly targetRefs: readonly TargetRef[];
}

/** The label by which a pod says that it is a gateway of the Gateway API, or a waypoint, and which. */
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";
const GATEWAY_GROUP = "gateway.networking.k8s.io";
const ENTRY_GROUP = "networking.istio.io";
const WAYPOINT_CLASS = "istio-waypoint";

/** The policies for a subject: the root namespace's first, then its own, then those of the services it serves. */
export function policiesFor<Policy extends TargetablePolicy>(
  byNamespace: ReadonlyMap<string, readonly Policy[]>,
  subject: PolicySubject,
  options: SelectionOptions,
): readonly Policy[] {
  const served = subject.waypoint?.services.map(({ namespace }) => namespace) ?? [];
  return [...new Set([options.rootNamespace, subject.namespace, ...served])]
    .flatMap((namespace) => byNamespace.get(namespace) ?? [])
    .filter((policy) => isFor(policy, subject, options));
}

/** Whether a policy says by its `targetRefs` that it is for the subject (AP-13). */
export function isAttached(
  policy: TargetablePolicy,
  subject: PolicySubject,
  options: Pick<SelectionOptions, "rootNamespace">,
): boolean {
  return policy.targetRefs.length > 0 && isFor(policy, subject, options);
}

/** Whether a policy of a namespace in scope is for the subject. */
function isFor(
  { meta, selector, targetRefs }: TargetablePolicy,
  subject: PolicySubject,
  { rootNamespace, gatewaySelectors = "honoured" }: SelectionOptions,
): boolean {
  const gateway = gatewayNameOf(subject);
  if (targetRefs.length > 0) {
    if (gateway === undefined) return false;
    const attachment = { namespace: meta.namespace, rootNamespace, gateway };
    return targetRefs.some((target) => isTarget(target, subject, attachment));
  }
  if (gateway !== undefined && !mayBeSelected(subject, gatewaySelectors)) return false;
  return selects(selector, subject.labels);
}

/** AP-15, AP-16 */
function mayBeSelected({ waypoint }: PolicySubject, gatewaySelectors: GatewaySelectors): boolean {
  return waypoint === undefined && gatewaySelectors === "honoured";
}

function gatewayNameOf({ labels }: PolicySubject): string | undefined {
  return Object.hasOwn(labels, GATEWAY_NAME) ? labels[GATEWAY_NAME] : undefined;
}

interface Attachment {
  /** Of the policy. */
  readonly namespace: string;
  readonly rootNamespace: string;
  /** The subject's name as a gateway. */
  readonly gateway: string;
}

function isTarget(target: TargetRef, subject: PolicySubject, attachment: Attachment): boolean {
  const { namespace, rootNamespace, gateway } = attachment;
  if (subject.waypoint) {
    if (namesServed(target, subject.waypoint.services, namespace)) return true;
    if (namespace === rootNamespace && namesWaypointClass(target)) return true;
  }
  if (target.group !== GATEWAY_GROUP || target.kind !== "Gateway") return false;
  if (target.namespace !== "" && target.namespace !== subject.namespace) return false;
  return namespace === subject.namespace && target.name === gateway;
}

function namesServed(
  { group, kind, name }: TargetRef,
  services: readonly ServedService[],
  namespace: string,
): boolean {
  const expectedGroup = kind === "Service" ? "core" : ENTRY_GROUP;
  if ((group || "core") !== expectedGroup) return false;
  return services.some(
    (service) => service.kind === kind && service.name === name && service.namespace === namespace,
  );
}

function namesWaypointClass({ group, kind, name }: TargetRef): boolean {
  return group === GATEWAY_GROUP && kind === "GatewayClass" && name === WAYPOINT_CLASS;
}
