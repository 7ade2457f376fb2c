/** ServiceAccount: the name a workload's identity is made of. */
import { type AutomountToken, automountToken } from "./automount-token.ts";
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export interface ServiceAccount {
  readonly kind: "ServiceAccount";
  readonly meta: ResourceMeta;
  /** For its pods that say nothing themselves. */
  readonly automountToken: AutomountToken;
}

export function serviceAccount(meta: ResourceMeta, root: Fields): ServiceAccount {
  root.unused(["secrets", "imagePullSecrets"]);
  return { kind: "ServiceAccount", meta, automountToken: automountToken(root) };
}
