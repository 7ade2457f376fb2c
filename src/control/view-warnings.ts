/** What the log tells of sidecars that do what they should not: however often they do, it does not fill. */
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Log } from "../runtime/log.ts";

export interface ViewWarnings {
  /** Someone does not show for which pod of this mesh a view should be. */
  readonly unproven: BoundedWarning;
  /** A pod comes back, and again, faster than any sidecar needs to, or has more streams than any needs. */
  readonly restless: BoundedWarning;
  readonly anothers: BoundedWarning;
  readonly silent: BoundedWarning;
}

export function viewWarnings(log: Log): ViewWarnings {
  const warning = (message: string): BoundedWarning => new BoundedWarning(log, { message });
  return {
    unproven: warning("view refused: caller not authenticated"),
    restless: warning("view refused: the pod opens too many streams"),
    anothers: warning("view refused: it is another workload's"),
    silent: warning("sidecar did not answer an update"),
  };
}
