/** Who is connected to whom, noted when a connection is accepted: afterwards a socket may have forgotten it. */
import type { Socket } from "node:net";
import { plainAddress } from "../api/plain-address.ts";
import type { SocketAddress } from "../policy/workload.ts";

export interface AcceptedConnection {
  readonly acceptedAt: Date;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
}

/** @returns undefined when the client has left already */
export function acceptedConnection(
  socket: Socket,
  acceptedAt: Date,
): AcceptedConnection | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    acceptedAt,
    remote: { address: plainAddress(remoteAddress) ?? remoteAddress, port: remotePort },
    local: { address: plainAddress(localAddress ?? "") ?? "", port: localPort ?? 0 },
  };
}
