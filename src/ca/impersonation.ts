/** Node agents ask in the name of pods on their node, as ztunnel does (CA-9). Who may, and for whom. */
import { parseSpiffeId, parseWorkloadIdentity, type SpiffeId } from "../identity/spiffe-id.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { AuthenticatedCaller } from "./caller.ts";

/** Who asked may not have another's identity. Its message says why, for the log; the caller is told nothing. */
export class ImpersonationRefusedError extends HauberkError {
  readonly code = "HAUBERK_IMPERSONATION_REFUSED";
}

export interface ImpersonationOptions {
  /** `CA_TRUSTED_NODE_ACCOUNTS`: `NAMESPACE/SERVICE_ACCOUNT` */
  readonly trustedAccounts: ReadonlySet<string>;
  readonly trustDomain: string;
  /** Whether a pod runs as this account on the node of that one, which runs. On one machine, the mesh is the node. */
  readonly runsBeside: (
    account: { readonly namespace: string; readonly serviceAccount: string },
    agent: { readonly namespace: string; readonly podName: string },
  ) => boolean;
}

/** @throws ImpersonationRefusedError */
export type AuthorizeImpersonation = (caller: AuthenticatedCaller, requested: string) => SpiffeId;

/**
 * The caller must have shown the token of a pod that runs as a trusted account; a certificate is not enough, since it
 * does not say on which node it was made. Stricter than CA-9, the identity must be of the mesh's trust domain.
 */
export function impersonationRule(options: ImpersonationOptions): AuthorizeImpersonation {
  return ({ pod, id, by }, requested) => {
    if (by !== "token")
      throw new ImpersonationRefusedError(`${id} did not show the token of a pod`);
    if (!options.trustedAccounts.has(`${pod.namespace}/${pod.serviceAccount}`))
      throw new ImpersonationRefusedError(`${id} is not in CA_TRUSTED_NODE_ACCOUNTS`);
    const identity = readIdentity(requested);
    const { trustDomain, ...account } = parseWorkloadIdentity(identity);
    if (trustDomain !== options.trustDomain.replaceAll("@", "."))
      throw new ImpersonationRefusedError(`${identity} is of a foreign trust domain`);
    if (!options.runsBeside(account, pod))
      throw new ImpersonationRefusedError(`no pod runs as ${identity} on the caller's node`);
    return identity;
  };
}

function readIdentity(requested: string): SpiffeId {
  try {
    const identity = parseSpiffeId(requested);
    parseWorkloadIdentity(identity);
    return identity;
  } catch (cause) {
    throw new ImpersonationRefusedError("what was asked for is no workload's identity", { cause });
  }
}
