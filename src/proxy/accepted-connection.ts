/** Who is connected to whom, noted when a connection is accepted: afterwards a socket may have forgotten it. */
import type { Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";

export interface AcceptedConnection {
  readonly acceptedAt: Date;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
}

const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;

/** @returns undefined when the client has left already */
export function acceptedConnection(
  socket: Socket,
  acceptedAt: Date,
): AcceptedConnection | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    acceptedAt,
    remote: { address: plainAddress(remoteAddress), port: remotePort },
    local: { address: plainAddress(localAddress ?? ""), port: localPort ?? 0 },
  };
}

function plainAddress(address: string): string {
  return address.replace(IPV4_IN_IPV6, "");
}
