/** WebSockets of clients of the Kubernetes API; the door to the package. RFC 6455 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type RawData, type WebSocket, WebSocketServer } from "ws";

export type { WebSocket } from "ws";

/** A client that is not read because nothing takes what it says is not heard to go: what is said to it fails then. */
const PULSE_MS = 10_000;
/** Of answers and pulses that a client does not take. */
const MAX_UNREAD_BYTES = 65_536;
/** kubectl sends 32 KiB at a time. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

export interface UpgradedConnection {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The first of `spoken` that the client offers; undefined: none, or it wants no WebSocket. */
export function offeredProtocol<const Name extends string>(
  { headers }: IncomingMessage,
  spoken: readonly Name[],
): Name | undefined {
  if (headers.upgrade?.toLowerCase() !== "websocket") return undefined;
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
  return spoken.find((one) => offered.includes(one));
}

/**
 * @param pulseMs constant but for tests
 * @returns undefined when the client does not get so far; it has been told
 */
export async function openWebSocket(
  { message, socket, head }: UpgradedConnection,
  protocol: string,
  pulseMs: number = PULSE_MS,
): Promise<WebSocket | undefined> {
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: () => protocol,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    autoPong: false,
  });
  const gone = once(socket, "close").then(() => undefined);
  const opened = new Promise<WebSocket>((resolve) => {
    server.handleUpgrade(message, socket, head, resolve);
  });
  const webSocket = await Promise.race([opened, gone]);
  if (webSocket === undefined) return undefined;
  webSocket.on("error", () => webSocket.terminate());
  webSocket.on("ping", (data) => sayUnlessUnread(webSocket, () => webSocket.pong(data)));
  const pulse = setInterval(() => sayUnlessUnread(webSocket, () => webSocket.ping()), pulseMs);
  pulse.unref();
  webSocket.once("close", () => clearInterval(pulse));
  return webSocket;
}

function sayUnlessUnread(webSocket: WebSocket, say: () => void): void {
  const { readyState, OPEN, bufferedAmount } = webSocket;
  if (readyState === OPEN && bufferedAmount < MAX_UNREAD_BYTES) say();
}

/** Messages as bytes, one after the other; whoever reads slowly makes the client wait. */
export function bytesOf(webSocket: WebSocket): Duplex {
  return createWebSocketStream(webSocket);
}

/** One message that came. */
export function bytesOfMessage(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
