/** How the sidecar's own connections leave the pod without being led back to it. */
import { connectFrom } from "../runtime/linux-socket.ts";
import type { Capture } from "./capture-rules.ts";
import { type Connect, connectDirectly } from "./upstream-dialer.ts";

/** By their mark; where there is none, the sidecar's uid exempts them. */
export function exemptConnect({ mark }: Pick<Capture, "mark">): Connect {
  return mark === undefined ? connectDirectly : (to) => connectFrom(to, { mark });
}
