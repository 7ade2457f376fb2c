/** Whom the plain outbound listeners serve where the kernel leads nobody to them: any process of the machine could connect. */
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { OutboundSideOptions } from "./outbound-side.ts";
import { PinnedProcesses } from "./pinned-processes.ts";
import { canTellOwners, WorkloadOwnership } from "./workload-ownership.ts";

export interface OwnershipRuleOptions {
  /** The first process of each container; they and all they start are the sidecar's own workload. */
  readonly applicationProcessIds: Watched<readonly number[]>;
  /**
   * Serves every local process on the plain outbound listeners where the owner of a connection cannot be found out;
   * without it they stay closed there.
   */
  readonly trustLoopbackCallers?: true;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OwnershipRule {
  readonly rule: OutboundSideOptions["ownership"];
  readonly close: () => void;
}

/** @returns undefined where nobody's connections may be served */
export function ownershipRule({
  applicationProcessIds,
  trustLoopbackCallers,
  clock,
  log,
}: OwnershipRuleOptions): OwnershipRule | undefined {
  if (canTellOwners()) {
    const processes = new PinnedProcesses(applicationProcessIds);
    const ownership = new WorkloadOwnership({ processes, clock });
    return {
      rule: (accepted) => ownership.of(accepted),
      close: () => {
        ownership.close();
        processes.close();
      },
    };
  }
  if (trustLoopbackCallers) {
    log.warn("outbound listeners serve every local process: this system does not tell owners");
    return { rule: () => Promise.resolve({ owner: "own-workload" }), close: () => undefined };
  }
  log.warn("outbound listeners stay closed: this system does not tell who owns a connection");
  return undefined;
}
