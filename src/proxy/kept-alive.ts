/** `tcpKeepalive` of a DestinationRule: the operating system asks now and then whether the other end is still there. */
import type { TcpKeepalive } from "../api/connection-pool-settings.ts";
import type { Connect } from "./upstream-dialer.ts";

/** Linux's own, where nothing is said: Node would leave probes off without a number. */
const IDLE_SECONDS = 7_200;

/** @param keepalive absent: no probes */
export function keptAlive(connect: Connect, keepalive: TcpKeepalive | undefined): Connect {
  if (keepalive === undefined) return connect;
  const idleMs = (keepalive.idleSeconds ?? IDLE_SECONDS) * 1_000;
  return (to) => connect(to).setKeepAlive(true, idleMs);
}
