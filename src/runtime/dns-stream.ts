/** DNS messages over a byte stream, each after two bytes of length (RFC 1035 section 4.2.2): reading, writing, serving. */
import type { Socket } from "node:net";

const LENGTH_BYTES = 2;
const MAX_MESSAGE_BYTES = 65_535;

/** @param message at most 65,535 bytes */
export function frameDnsMessage(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, LENGTH_BYTES);
  return framed;
}

/**
 * Calls `receive` with every message, as long as the connection is not paused; one that is empty, or longer than allowed,
 * destroys it.
 */
export function readDnsMessages(
  socket: Socket,
  receive: (message: Buffer) => void,
  { maxBytes = MAX_MESSAGE_BYTES }: { readonly maxBytes?: number } = {},
): void {
  let pending: Buffer = Buffer.alloc(0);
  const take = (): Buffer | undefined => {
    if (socket.destroyed || socket.isPaused() || pending.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + pending.readUInt16BE(0);
    if (end === LENGTH_BYTES || end > LENGTH_BYTES + maxBytes) socket.destroy();
    if (socket.destroyed || pending.length < end) return undefined;
    const message = pending.subarray(LENGTH_BYTES, end);
    pending = pending.subarray(end);
    return message;
  };
  const receiveAll = (): void => {
    for (let message = take(); message !== undefined; message = take()) receive(message);
  };
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    receiveAll();
  });
  socket.on("resume", receiveAll);
  socket.resume();
}

export interface DnsStreamService {
  /** @returns undefined when there is to be no answer */
  readonly answer: (query: Buffer) => Promise<Buffer | undefined>;
  readonly maxQueryBytes: number;
  /** Answers owed at once; a client that asks more, or does not read its answers, is read no further until then. */
  readonly maxOwed: number;
  /** Milliseconds without a byte, after which the connection is closed. */
  readonly idleMs: number;
}

/** Answers every query of a connection, in whatever order the answers come (RFC 7766 section 7). */
export function serveDnsStream(
  socket: Socket,
  { answer, maxQueryBytes, maxOwed, idleMs }: DnsStreamService,
): void {
  let owed = 0;
  const settle = (): void => {
    owed--;
    if (owed < maxOwed) socket.resume();
    if (owed === 0 && socket.readableEnded) socket.end();
  };
  const reply = (message: Buffer | undefined): void => {
    if (message === undefined || !socket.writable) settle();
    else socket.write(frameDnsMessage(message), settle);
  };
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("end", () => {
    if (owed === 0) socket.end();
  });
  readDnsMessages(
    socket,
    (query) => {
      if (++owed >= maxOwed) socket.pause();
      answer(query)
        .then(reply)
        .catch(() => socket.destroy());
    },
    { maxBytes: maxQueryBytes },
  );
}
