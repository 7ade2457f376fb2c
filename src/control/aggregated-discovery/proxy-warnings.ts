/** What the log tells of proxies that do what they should not: however often they do, it does not fill. */
import { BoundedWarning } from "../../runtime/bounded-warning.ts";
import type { Log } from "../../runtime/log.ts";

export interface ProxyWarnings {
  /** A proxy does not take what it was sent. */
  readonly refused: BoundedWarning;
  /** It says that it is another pod's. */
  readonly mistaken: BoundedWarning;
  /** Someone does not show, or shows no more, whose proxy it is. */
  readonly unproven: BoundedWarning;
  /** A pod comes back, and again, faster than any proxy needs to. */
  readonly restless: BoundedWarning;
  readonly silent: BoundedWarning;
}

export function proxyWarnings(log: Log): ProxyWarnings {
  const warning = (message: string): BoundedWarning => new BoundedWarning(log, { message });
  return {
    refused: warning("resources refused by the proxy"),
    mistaken: warning("resources refused: the proxy takes itself for another pod's"),
    unproven: warning("resources refused: caller not authenticated"),
    restless: warning("resources refused: the pod opens too many streams"),
    silent: warning("a proxy did not answer what it was sent"),
  };
}
