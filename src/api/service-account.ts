/** ServiceAccount: the name a workload's identity is made of. */
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export interface ServiceAccount {
  readonly kind: "ServiceAccount";
  readonly meta: ResourceMeta;
}

export function serviceAccount(meta: ResourceMeta, root: Fields): ServiceAccount {
  root.unused(["secrets", "imagePullSecrets", "automountServiceAccountToken"]);
  return { kind: "ServiceAccount", meta };
}
