/** Why an identity or a namespace that a policy names belongs to nobody, and who was probably meant. */
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { nameHint, tellNames } from "./name-hint.ts";

/** What a policy names, and in which words. */
export interface NamedIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** What follows, as words that follow "so it". */
  readonly effect: string;
  /** From `NAMESPACE/ACCOUNT` to the form of the field. */
  readonly inForm: (account: string) => string;
}

/**
 * Gateways and other parts of the mesh itself live in the root namespace, and are in nobody's files: what is named
 * there is let be.
 *
 * @returns words that follow the identity; undefined when a workload can prove it
 */
export function identityProblem(
  { pods, serviceAccounts, settings }: MeshInventory,
  { namespace, serviceAccount, effect, inForm }: NamedIdentity,
): string | undefined {
  if (namespace === settings.rootNamespace) return undefined;
  const named = pods.filter(
    (pod) => pod.namespace === namespace && pod.serviceAccount === serviceAccount,
  );
  if (named.some(mayProve)) return undefined;
  if (named.length > 0) return `${UNPROVEN_BY_WORKLOADS}, so it ${effect}; ${GIVE_SIDECARS}`;
  const opening = `is the identity of no workload here, so it ${effect}`;
  if (serviceAccounts.has(`${namespace}/${serviceAccount}`)) {
    return `${opening}; there is such a ServiceAccount: name it as serviceAccountName of the workload that is meant`;
  }
  const hint = nameHint(`${namespace}/${serviceAccount}`, {
    known: pods.filter(mayProve).map((pod) => `${pod.namespace}/${pod.serviceAccount}`),
    inForm,
    otherwise: () => accountsThere(namespace, pods),
  });
  return `${opening}; ${hint}`;
}

/** As above, for all identities of a namespace. */
export function namespaceProblem(
  { pods, settings }: MeshInventory,
  { namespace, effect }: Pick<NamedIdentity, "namespace" | "effect">,
): string | undefined {
  if (namespace === settings.rootNamespace) return undefined;
  const inside = pods.filter((pod) => pod.namespace === namespace);
  if (inside.some(mayProve)) return undefined;
  if (inside.length > 0) {
    return `is a namespace whose workloads have no sidecar and prove no identity, so it ${effect}; ${GIVE_SIDECARS}`;
  }
  const hint = nameHint(namespace, {
    known: pods.filter(mayProve).map((pod) => pod.namespace),
    otherwise: (names) => `namespaces of workloads with a sidecar: ${names}`,
  });
  return `is a namespace without workloads here, so it ${effect}; ${hint}`;
}

const UNPROVEN_BY_WORKLOADS =
  "is the identity of workloads that have no sidecar and cannot prove it";
const GIVE_SIDECARS = "give them sidecars";

function mayProve({ sidecar }: InventoryPod): boolean {
  return sidecar !== "none";
}

function accountsThere(namespace: string, pods: readonly InventoryPod[]): string {
  const accounts = pods
    .filter((pod) => pod.namespace === namespace)
    .map(({ serviceAccount }) => serviceAccount);
  if (accounts.length === 0) return `no workload is in namespace ${namespace}`;
  return `workloads of namespace ${namespace} run as ${tellNames([...new Set(accounts)].sort())}`;
}
