/** Carries bytes both ways between two connections, each direction ending on its own, at the slower side's pace. */
import type { Socket } from "node:net";

export interface RelayedBytes {
  /** From the client. */
  received: number;
  /** To the client. */
  sent: number;
}

export interface RelayOptions {
  /** What the client sent before the relay began. */
  readonly head: Buffer;
  /** Both connections are destroyed after this long without a byte; 0: never. */
  readonly idleMs?: number;
  /** Both connections are destroyed after this long; 0: never. */
  readonly mostMs?: number;
}

/** As Envoy's TCP proxy. */
const DEFAULT_IDLE_MS = 3_600_000;
/** Node's timers count no further: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Runs until both directions ended, or either connection failed; both are closed then. */
export function relay(
  client: Socket,
  upstream: Socket,
  { head, idleMs = DEFAULT_IDLE_MS, mostMs = 0 }: RelayOptions,
): Promise<RelayedBytes> {
  const bytes: RelayedBytes = { received: head.length, sent: 0 };
  return new Promise((resolve) => {
    let open = 2;
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const end = mostMs === 0 ? undefined : setTimeout(cut, Math.min(mostMs, LONGEST_TIMER_MS));
    const watch = (socket: Socket, other: Socket): void => {
      const onClose = (): void => {
        if (--open === 0) {
          clearTimeout(end);
          resolve(bytes);
        } else if (!other.writableEnded || !other.readableEnded) other.destroy();
      };
      socket.on("error", cut).setTimeout(idleMs, cut);
      if (socket.closed) onClose();
      else socket.once("close", onClose);
    };
    watch(client, upstream);
    watch(upstream, client);
    client.on("data", (chunk: Buffer) => {
      bytes.received += chunk.length;
    });
    upstream.on("data", (chunk: Buffer) => {
      bytes.sent += chunk.length;
    });
    if (head.length > 0) upstream.write(head);
    carry(client, upstream);
    carry(upstream, client);
  });
}

function carry(from: Socket, to: Socket): void {
  if (from.readableEnded) to.end();
  else from.pipe(to);
}
