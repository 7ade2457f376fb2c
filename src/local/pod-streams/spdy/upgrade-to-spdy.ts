/** How a client comes to speak SPDY/3.1: at once, or through a WebSocket, as kubectl does from 1.31 on. */
import type { Duplex } from "node:stream";
import { badRequest } from "../../api-server/objects/refusals.ts";
import { bytesOf, offeredProtocol, openWebSocket, type UpgradedConnection } from "../web-socket.ts";

/** Of a WebSocket that carries SPDY; what follows is the protocol spoken over it. */
const TUNNEL = "SPDY/3.1+";

/**
 * @param spoken what is spoken on its streams, best first
 * @returns undefined when the client does not get so far
 * @throws StatusError 400
 */
export async function upgradeToSpdy<const Name extends string>(
  connection: UpgradedConnection,
  spoken: readonly Name[],
): Promise<{ readonly transport: Duplex; readonly protocol: Name } | undefined> {
  const { message, socket, head } = connection;
  const tunnelled = spoken.find(
    (one) => offeredProtocol(message, [`${TUNNEL}${one}`]) !== undefined,
  );
  if (tunnelled !== undefined) {
    const webSocket = await openWebSocket(connection, `${TUNNEL}${tunnelled}`);
    return webSocket && { transport: bytesOf(webSocket), protocol: tunnelled };
  }
  if (message.headers.upgrade?.toLowerCase() !== "spdy/3.1")
    throw badRequest(
      `unable to upgrade: expected SPDY/3.1, or a WebSocket of ${spoken.join(", ")}`,
    );
  const offered = [message.headers["x-stream-protocol-version"] ?? []]
    .flat()
    .flatMap((one) => one.split(","))
    .map((one) => one.trim());
  const protocol = spoken.find((one) => offered.includes(one));
  if (protocol === undefined)
    throw badRequest(`unable to negotiate a protocol: client offers ${offered.join(", ")}`);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return { transport: socket, protocol };
}
