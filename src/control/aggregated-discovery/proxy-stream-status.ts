/** What one proxy has of what it was to have, for people. */
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { EnvoyTypeStatus } from "../control-socket-messages.ts";
import type { ProxyConversation } from "./proxy-conversation.ts";
import { stateVersion } from "./state-version.ts";

export interface ProxyStreamStatus {
  /** `namespace/pod` */
  readonly pod: string;
  readonly identity: SpiffeId;
  readonly remoteAddress: string;
  /** Those that it has asked for. */
  readonly types: readonly EnvoyTypeStatus[];
}

export function statusOf(
  conversation: ProxyConversation,
  proxy: Pick<ProxyStreamStatus, "pod" | "identity" | "remoteAddress">,
): ProxyStreamStatus {
  const types = conversation.subscriptions
    .filter(({ isAsked }) => isAsked)
    .map(({ type, error, isSettled, has }): EnvoyTypeStatus => {
      const about = { type: type.called, version: stateVersion(has.resources) };
      if (error !== undefined) return { ...about, state: "refused", error };
      return { ...about, state: isSettled ? "synced" : "awaited" };
    });
  return { ...proxy, types };
}
