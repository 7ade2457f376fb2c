/** What one proxy has of what it was to have, for people. */
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { ProxyConversation } from "./proxy-conversation.ts";
import { stateVersion } from "./state-version.ts";

export interface TypeStatus {
  /** As "authorization", "listeners". */
  readonly type: string;
  readonly state: "synced" | "awaited" | "refused";
  /** Of all that it was sent. */
  readonly version: string;
  /** What the proxy said against it; exactly where it was refused. */
  readonly error?: string;
}

export interface ProxyStreamStatus {
  /** `namespace/pod` */
  readonly pod: string;
  readonly identity: SpiffeId;
  readonly remoteAddress: string;
  /** Those that it has asked for. */
  readonly types: readonly TypeStatus[];
}

export function statusOf(
  conversation: ProxyConversation,
  proxy: Pick<ProxyStreamStatus, "pod" | "identity" | "remoteAddress">,
): ProxyStreamStatus {
  const types = conversation.subscriptions
    .filter(({ isAsked }) => isAsked)
    .map(({ type, error, isSettled, has }): TypeStatus => {
      const about = { type: type.called, version: stateVersion(has.resources) };
      if (error !== undefined) return { ...about, state: "refused", error };
      return { ...about, state: isSettled ? "synced" : "awaited" };
    });
  return { ...proxy, types };
}
