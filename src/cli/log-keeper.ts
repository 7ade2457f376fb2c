/** Begins full logs anew to which several processes of one sidecar write: while all of them hold still. */
import { fstatSync } from "node:fs";
import type { WorkerGroup } from "../proxy/workers/worker-group.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { beginLogAnew, MAX_LOG_BYTES } from "../runtime/log-file.ts";
import type { SharedLogs } from "../runtime/shared-logs.ts";
import { boundedLogs } from "./process-logs.ts";

export interface LogKeeperOptions {
  readonly group: Pick<WorkerGroup, "whileLogsAreHeld">;
  /** This process's own. */
  readonly logs: SharedLogs;
  readonly log: Log;
}

export class LogKeeper {
  readonly #options: LogKeeperOptions;
  #isAtWork = false;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
  }

  /** Whoever says so while that is done has said it of what is done. */
  beginFullAnew(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    const { group, logs, log } = this.#options;
    logs.hold();
    group
      .whileLogsAreHeld(beginFullAnew)
      .catch((error: unknown) =>
        log.error("a full log was not begun anew", { problem: describeError(error) }),
      )
      .finally(() => {
        this.#isAtWork = false;
        logs.release();
      });
  }
}

async function beginFullAnew(): Promise<void> {
  for (const one of boundedLogs())
    if (fstatSync(one.descriptor).size >= MAX_LOG_BYTES) await beginLogAnew(one);
}
