/** Asking a process to end: SIGTERM, or Ctrl-C on a terminal. A second request ends it at once. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/** A signal to the whole group comes both directly and through the host side of a mesh: that is one request, not two. */
export type StopRequester =
  | "signal"
  | "host side"
  | "end of the host side"
  /** Of a sidecar of several processes. */
  | "holder of the ports";

const controller = new AbortController();
const requests: Map<StopRequester, number> = new Map();

/** @returns a signal that aborts on the first request */
export function stopSignal(): AbortSignal {
  for (const name of SIGNALS) process.on(name, () => requestStop("signal"));
  return controller.signal;
}

/** Counts with those of the same requester, and only with them. */
export function requestStop(by: StopRequester): void {
  const times = (requests.get(by) ?? 0) + 1;
  requests.set(by, times);
  if (times > 1) process.exit(130);
  controller.abort();
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
