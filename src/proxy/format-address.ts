/** How logs and keys name one end of a connection. */
import type { SocketAddress } from "../policy/workload.ts";

/** `127.0.0.1:8080`, `[::1]:8080` */
export function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
