/**
 * Ports in policies that no selected workload has: mostly a Service's port where a container's is meant (AP-56, PA-16).
 * A DENY of such a port denies nothing, and nobody else would say so.
 */
import { selects } from "../api/label-selector.ts";
import type { PeerAuthentication } from "../api/peer-authentication.ts";
import type { Labels, Notice, ResourceMeta } from "../api/resource.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { isBehind } from "./mesh-snapshot.ts";
import { tellNames } from "./name-hint.ts";

/** Which workloads a policy is for. */
export interface PortScope {
  readonly meta: Pick<ResourceMeta, "namespace">;
  readonly selector: Labels;
}

export interface NamedPort {
  readonly port: number;
  readonly scope: PortScope;
  /** Words that follow "so", and the rule. */
  readonly effect: string;
  readonly rule: "AP-56" | "PA-16";
}

/** The sidecar's own, which policies often leave out by name (PA-20). */
const NEVER_CAPTURED: readonly number[] = [15020, 15021, 15090];

/** PA-16. The root namespace has no policies for workloads (PA-4), and no other has ports (PA-14). */
export function portModeNotices(policy: PeerAuthentication, inventory: MeshInventory): Notice[] {
  const { meta, portModes } = policy;
  if (meta.namespace === inventory.settings.rootNamespace) return [];
  return [...portModes.keys()].flatMap((port) => {
    const named = {
      port,
      scope: policy,
      effect: "its mode is in force on no declared port",
      rule: "PA-16",
    } as const;
    const message = portProblem(named, inventory);
    return message === undefined
      ? []
      : { source: meta.source, path: `spec.portLevelMtls.${port}`, message };
  });
}

/**
 * Whoever declares no ports may listen on any: where such a workload is selected, nothing is said.
 *
 * @returns words that follow the port; undefined where it is some selected workload's
 */
export function portProblem(
  { port, scope, effect, rule }: NamedPort,
  inventory: MeshInventory,
): string | undefined {
  if (NEVER_CAPTURED.includes(port)) return undefined;
  const pods = podsInScope(scope, inventory);
  if (pods.length === 0 || pods.some(({ ports }) => ports.length === 0)) return undefined;
  const known = new Set(pods.flatMap((pod) => [...portsOf(pod, inventory)]));
  if (known.has(port)) return undefined;
  const meant = [...new Set(pods.flatMap((pod) => targetsOf(port, pod, inventory)))];
  const hint =
    meant.length > 0
      ? `did you mean ${inOrder(meant).join(" or ")}?`
      : `there: ${tellNames(inOrder([...known]).map(String))}`;
  return `is no container port of what this policy selects, so ${effect}; policies name container ports, not those of Services (${rule}); ${hint}`;
}

/** Without a sidecar nothing is enforced, whatever its ports. */
function podsInScope(
  { meta: { namespace }, selector }: PortScope,
  { pods, settings }: MeshInventory,
): readonly InventoryPod[] {
  const reachesAll = namespace === settings.rootNamespace;
  return pods.filter(
    (pod) =>
      pod.sidecar !== "none" &&
      (reachesAll || pod.namespace === namespace) &&
      selects(selector, pod.labels),
  );
}

/** To be the target of a Service by number is as good as being declared. */
function portsOf(pod: InventoryPod, { services }: MeshInventory): ReadonlySet<number> {
  const targets = services
    .filter((service) => isBehind(service, pod))
    .flatMap(({ ports }) => ports.map(({ targetPort }) => targetPort))
    .filter((target) => typeof target === "number");
  return new Set([...pod.ports.map(({ containerPort }) => containerPort), ...targets]);
}

/** The container ports behind a Service's port of that number. */
function targetsOf(port: number, pod: InventoryPod, { services }: MeshInventory): number[] {
  return services
    .filter((service) => isBehind(service, pod))
    .flatMap(({ ports }) => ports.filter((each) => each.port === port))
    .flatMap(({ targetPort }) =>
      typeof targetPort === "number"
        ? targetPort
        : pod.ports
            .filter(({ name }) => name === targetPort)
            .map(({ containerPort }) => containerPort),
    );
}

function inOrder(ports: readonly number[]): number[] {
  return [...ports].sort((one, other) => one - other);
}
