/** Which identities may answer behind a service. */
import type { MeshSettings } from "../api/mesh-settings.ts";
import { type SpiffeId, spiffeId, type WorkloadIdentityParts } from "../identity/spiffe-id.ts";

/** Every identity one of the accounts may prove, in every trust domain that is ours, sorted (TLS-34). */
export function acceptedIdentities(
  { trustDomain, trustDomainAliases }: Pick<MeshSettings, "trustDomain" | "trustDomainAliases">,
  accounts: readonly Pick<WorkloadIdentityParts, "namespace" | "serviceAccount">[],
): SpiffeId[] {
  const identities = accounts.flatMap(({ namespace, serviceAccount }) =>
    [trustDomain, ...trustDomainAliases].map((domain) =>
      spiffeId({ trustDomain: domain, namespace, serviceAccount }),
    ),
  );
  return [...new Set(identities)].sort();
}
