/** Sends the latest state of something to a client, and anew whenever it has changed; never a queue of old ones. */
import { once } from "node:events";
import type { Watched } from "../runtime/watched.ts";

export interface StateStream<O> {
  /** What the state is made of. */
  readonly changes: readonly Watched<unknown>[];
  readonly signal: AbortSignal;
  /** Resolves when the client can take more. */
  readonly send: (message: O) => Promise<void>;
}

/**
 * Resolves once the client is gone.
 *
 * @param state undefined while there is none to send; what is equal to what was sent last is not sent again
 */
export async function streamStates<O>(
  state: () => O | undefined,
  { changes, signal, send }: StateStream<O>,
): Promise<void> {
  const events = new EventTarget();
  let isStale = true;
  const stops = changes.map((watched) =>
    watched.onChange(() => {
      isStale = true;
      events.dispatchEvent(new Event("change"));
    }),
  );
  let sent: string | undefined;
  try {
    while (!signal.aborted) {
      if (!isStale) await once(events, "change", { signal }).catch(() => undefined); // gone
      isStale = false;
      const next = state();
      const text = next === undefined ? sent : fingerprint(next);
      if (next === undefined || text === sent || signal.aborted) continue;
      sent = text;
      await send(next);
    }
  } finally {
    for (const stop of stops) stop();
  }
}

/** Bytes are compared as what they are. */
function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part).toString("base64") : part,
  );
}
