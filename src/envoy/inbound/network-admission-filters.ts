/** NetworkPolicy where the proxy is the one to enforce it: whom nobody lets in gets nowhere, whatever policies say. */
import type { NetworkAdmission } from "../../policy/workload-view.ts";
import { rbacFilter } from "../authorization/rbac-filter.ts";
import type { NetworkFilter } from "../envoy-json.ts";
import type { JudgedChain } from "./judged-chain.ts";

/** Before anything else: a connection that it refuses does not come about. */
export function networkAdmissionFilters(
  admission: NetworkAdmission | undefined,
  { transport }: Pick<JudgedChain, "transport">,
): readonly NetworkFilter[] {
  if (admission === undefined || admission.anyone) return [];
  const identities = transport === "mesh-tls" ? admission.identities : [];
  return [
    rbacFilter("tcp", {
      rules: { policies: identities.length === 0 ? {} : admitting(identities) },
    }),
  ];
}

function admitting(identities: NetworkAdmission["identities"]): Readonly<Record<string, object>> {
  const principals = identities.map((identity) => ({
    authenticated: { principalName: { exact: identity } },
  }));
  return { "network-policy": { permissions: [{ any: true }], principals } };
}
