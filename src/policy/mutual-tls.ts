/** Which mutual TLS a workload demands on each port: mesh, namespace, workload and port level composed (PA-2..PA-18). */
import { selects } from "../api/label-selector.ts";
import type { PeerAuthentication, PeerAuthenticationMode } from "../api/peer-authentication.ts";
import type { Labels } from "../api/resource.ts";
import type { Origin } from "./decision.ts";
import type { EffectiveMutualTls } from "./workload-view.ts";

/** What applies when no resource says anything (PA-9). */
const DEFAULT_MUTUAL_TLS: EffectiveMutualTls = { mode: "PERMISSIVE", origin: "default" };

/** The mode of the workload, and of the container ports that have one of their own. */
export interface ComposedPeerAuthentication {
  readonly workload: EffectiveMutualTls;
  readonly ports: ReadonlyMap<number, EffectiveMutualTls>;
}

/** Whose mode is asked for. */
export interface PeerAuthenticationSubject {
  readonly rootNamespace: string;
  readonly namespace: string;
  readonly labels: Labels;
}

/**
 * The policies that have a say in the mutual TLS of one workload: all that select it, and the oldest of each level
 * above (PA-2..PA-6).
 *
 * @param policies in any order, of any namespace
 * @returns those of its own namespace first, then the mesh's; each in the order of PA-5
 */
export function applyingPeerAuthentications(
  policies: readonly PeerAuthentication[],
  subject: PeerAuthenticationSubject,
): readonly PeerAuthentication[] {
  const { rootNamespace, namespace } = subject;
  const ofMesh = oldest(policies.filter((policy) => isForNamespace(policy, rootNamespace)));
  if (namespace === rootNamespace) return ofMesh;
  const ofNamespace = oldest(policies.filter((policy) => isForNamespace(policy, namespace)));
  const ofWorkload = policies.filter((policy) => isForWorkload(policy, subject));
  return [...[...ofNamespace, ...ofWorkload].sort(byAge), ...ofMesh];
}

/**
 * Composes the policies that apply to one workload; each value carries the resource that set it.
 *
 * @param policies in any order, of any namespace: what does not apply is left out
 */
export function composePeerAuthentication(
  policies: readonly PeerAuthentication[],
  subject: PeerAuthenticationSubject,
): ComposedPeerAuthentication {
  const applying = applyingPeerAuthentications(policies, subject);
  const inherited = namespaceMutualTls(applying, subject);
  const [winner] = oldest(applying.filter((policy) => isForWorkload(policy, subject)));
  if (winner === undefined) return { workload: inherited, ports: new Map() };
  const workload = override(inherited, { policy: winner, mode: winner.mode });
  const ports = new Map(
    [...winner.portModes].map(([port, mode]) => [
      port,
      override(workload, { policy: winner, mode }),
    ]),
  );
  return { workload, ports };
}

/** The mode on one container port (PA-11, PA-16). */
export function mutualTlsOfPort(
  { workload, ports }: ComposedPeerAuthentication,
  containerPort: number,
): EffectiveMutualTls {
  return ports.get(containerPort) ?? workload;
}

/** The mode of a namespace as a whole, which only steers callers (PA-13). */
export function namespaceMutualTls(
  policies: readonly PeerAuthentication[],
  { rootNamespace, namespace }: Omit<PeerAuthenticationSubject, "labels">,
): EffectiveMutualTls {
  const levels = namespace === rootNamespace ? [rootNamespace] : [rootNamespace, namespace];
  return levels.reduce((inherited, level) => {
    const [policy] = oldest(policies.filter((candidate) => isForNamespace(candidate, level)));
    return policy === undefined ? inherited : override(inherited, { policy, mode: policy.mode });
  }, DEFAULT_MUTUAL_TLS);
}

/** One that a workload takes no notice of, for there is another of its level. */
export interface PassedOver {
  readonly policy: PeerAuthentication;
  readonly winner: PeerAuthentication;
  readonly rule: "PA-6" | "PA-7";
}

/** The policies that are for a workload, or for a namespace or the mesh that it is in, and have no say in its mode. */
export function passedOver(
  policies: readonly PeerAuthentication[],
  subject: PeerAuthenticationSubject,
): readonly PassedOver[] {
  const { rootNamespace, namespace } = subject;
  return [
    ...behindOldest(ofNamespace(policies, rootNamespace), "PA-6"),
    ...(namespace === rootNamespace ? [] : behindOldest(ofNamespace(policies, namespace), "PA-6")),
    ...behindOldest(
      policies.filter((policy) => isForWorkload(policy, subject)),
      "PA-7",
    ),
  ];
}

/** Whether two policies were applied at the same instant, as all were that never were applied. */
export function isSameAge(one: PeerAuthentication, other: PeerAuthentication): boolean {
  return instantOf(one.meta.creationTimestamp) === instantOf(other.meta.creationTimestamp);
}

/** Evaluation order of policies: by age, then name, then namespace; what was never applied has no age and is oldest (PA-5). */
export function byAge(
  { meta: a }: Pick<PeerAuthentication, "meta">,
  { meta: b }: Pick<PeerAuthentication, "meta">,
): number {
  return (
    compare(instantOf(a.creationTimestamp), instantOf(b.creationTimestamp)) ||
    compare(a.name, b.name) ||
    compare(a.namespace, b.namespace)
  );
}

function instantOf(timestamp: string | undefined): number {
  const instant = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(instant) ? Number.NEGATIVE_INFINITY : instant;
}

function compare<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function ofNamespace(
  policies: readonly PeerAuthentication[],
  namespace: string,
): readonly PeerAuthentication[] {
  return policies.filter((policy) => isForNamespace(policy, namespace));
}

function behindOldest(
  level: readonly PeerAuthentication[],
  rule: PassedOver["rule"],
): readonly PassedOver[] {
  const [winner, ...others] = [...level].sort(byAge);
  return winner === undefined ? [] : others.map((policy) => ({ policy, winner, rule }));
}

/** At most one: of all others a level takes no notice (PA-6, PA-7). */
function oldest(policies: readonly PeerAuthentication[]): readonly PeerAuthentication[] {
  return [...policies].sort(byAge).slice(0, 1);
}

function isForNamespace({ meta, selector }: PeerAuthentication, namespace: string): boolean {
  return meta.namespace === namespace && isEmpty(selector);
}

function isForWorkload(
  { meta, selector }: PeerAuthentication,
  { rootNamespace, namespace, labels }: PeerAuthenticationSubject,
): boolean {
  if (meta.namespace === rootNamespace || meta.namespace !== namespace) return false;
  return !isEmpty(selector) && selects(selector, labels);
}

function isEmpty(selector: Labels): boolean {
  return Object.keys(selector).length === 0;
}

function override(
  inherited: EffectiveMutualTls,
  { policy, mode }: { readonly policy: PeerAuthentication; readonly mode: PeerAuthenticationMode },
): EffectiveMutualTls {
  if (mode === "UNSET") return inherited;
  return { mode, origin: originOf(policy) };
}

function originOf({ kind, meta }: PeerAuthentication): Origin {
  return { ref: { kind, namespace: meta.namespace, name: meta.name }, source: meta.source };
}
