/** Reads whom NetworkPolicies let in, where the sidecar or the gateway is the one to enforce them. */
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { NetworkAdmission } from "../policy/workload-view.ts";
import { type Decoder, flag, list, object, parsed, text } from "./view-fields.ts";

export const networkAdmission: Decoder<NetworkAdmission> = object({
  policies: list(object({ kind: text, namespace: text, name: text })),
  identities: list(parsed(parseSpiffeId, "a SPIFFE ID")),
  anyone: flag,
});
