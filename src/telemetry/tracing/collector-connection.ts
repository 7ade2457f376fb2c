/** Connections to a collector: one for each request, since requests are seconds apart. */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { SpanCollector } from "../../policy/workload-view.ts";

export type CollectorPlace = Pick<SpanCollector, "host" | "port" | "namespace" | "protocol">;

/**
 * Leads to a collector, through the mesh where it is one of its services. What it returns can be written to at once, or
 * fails by an `error` event.
 */
export type ConnectCollector = (place: CollectorPlace, signal: AbortSignal) => Promise<Duplex>;

/** By its name, whatever a resolver says. */
export const connectByName: ConnectCollector = ({ host, port }, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const fail = (cause: unknown): void => {
      socket.destroy();
      reject(cause);
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail).once("connect", () => {
      socket.off("error", fail);
      signal.removeEventListener("abort", onAbort);
      resolve(socket);
    });
    if (signal.aborted) onAbort();
  });

/** The one signal of a request: it takes too long, or nobody waits for it any more. */
export function requestSignal(timeoutMs: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}
