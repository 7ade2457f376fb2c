/** PeerAuthentications of which another gets ahead: of each level the oldest alone counts (PA-6..PA-8). */
import type { PeerAuthentication } from "../api/peer-authentication.ts";
import { formatLocation, formatRef, type Notice, type Resource } from "../api/resource.ts";
import type { MeshInventory } from "./mesh-inventory.ts";
import { ofKind } from "./mesh-snapshot.ts";
import { isSameAge, type PassedOver, passedOver } from "./mutual-tls.ts";

/** One for each pair of policies, however many workloads both are for. */
export function precedenceNotices(
  resources: readonly Resource[],
  { pods, settings: { rootNamespace } }: MeshInventory,
): Notice[] {
  const policies = ofKind(resources, "PeerAuthentication");
  if (policies.length < 2) return [];
  const subjects = [...pods, ...namespacesOf(policies)];
  const notices = subjects
    .flatMap(({ namespace, labels }) => passedOver(policies, { rootNamespace, namespace, labels }))
    .map((pair) => [`${nameOf(pair.policy)} ${nameOf(pair.winner)}`, noticeOf(pair)] as const);
  return [...new Map(notices).values()];
}

/** A level above workloads counts also where no workload is. */
function namespacesOf(policies: readonly PeerAuthentication[]): readonly {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}[] {
  return policies.map(({ meta: { namespace } }) => ({ namespace, labels: {} }));
}

function noticeOf({ policy, winner, rule }: PassedOver): Notice {
  const { kind, meta } = winner;
  const whom = `${formatRef({ kind, ...meta })} (${formatLocation(meta.source)})`;
  const where = rule === "PA-6" ? "" : " on the workloads that both select";
  const what = policy.portModes.size === 0 ? "" : ", its portLevelMtls neither (PA-8)";
  const why = isSameAge(policy, winner) ? "being the first by name of the same age" : "being older";
  return {
    source: policy.meta.source,
    path: "",
    message: `${formatRef({ kind, ...policy.meta })} is not obeyed${where}${what}: ${whom} counts instead, ${why} (${rule}); make them one`,
  };
}

function nameOf({ meta: { namespace, name } }: PeerAuthentication): string {
  return `${namespace}/${name}`;
}
