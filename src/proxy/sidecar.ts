/** The embedded sidecar: nothing is served before the first certificate and the first view are there. */
import type { WorkloadView } from "../policy/workload-view.ts";
import { firstValue } from "../runtime/first-value.ts";
import { requireLinuxSockets } from "../runtime/linux-socket.ts";
import type { LogLevel } from "../runtime/log.ts";
import type { WatchedValue } from "../runtime/watched.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { sidecarAnswers } from "./admin-answers.ts";
import type { SidecarState } from "./admin-server.ts";
import { DataPath, type DataPathOptions } from "./data-path.ts";
import type { KnownLimits } from "./rate-limits/known-limits.ts";
import { openSidecarAdmin, type SidecarAdmin, type SidecarAdminOptions } from "./sidecar-admin.ts";

export interface SidecarOptions extends DataPathOptions {
  /** Path of the Unix socket of its administration; absent: there is none. */
  readonly adminSocket?: string;
  /** Absent: port and socket are opened here. */
  readonly openAdmin?: (options: SidecarAdminOptions) => Promise<SidecarAdmin>;
  /** Of `log`, for whoever changes it over that socket. */
  readonly logLevel?: WatchedValue<LogLevel>;
}

export interface Sidecar {
  /** Stops accepting, lets what is under way end within 5 seconds, then cuts it. */
  close(): Promise<void>;
}

/**
 * Resolves once the first view is served.
 *
 * @throws ListenError when a port of the first view, or the admin port, cannot be opened
 * @throws LinuxSocketError when it is to intercept connections, and cannot here
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  if (options.capture !== undefined) requireLinuxSockets(options.capture);
  const metrics = createMetrics(options.clock);
  let dataPath: DataPath | undefined;
  const state = (): SidecarState => dataPath?.state ?? "starting";
  const view = (): WorkloadView | undefined => dataPath?.view;
  const drain = async (): Promise<void> => dataPath?.close();
  const limitLeft: KnownLimits["left"] = (id, asker) => dataPath?.limitLeft(id, asker);
  const answer = sidecarAnswers({ ...options, metrics, state, view, limitLeft, drain });
  const { openAdmin = openSidecarAdmin } = options;
  const admin = await openAdmin({ ...options, metrics, state, answer });
  try {
    const first = await firstValue(options.svid);
    const firstView = await firstValue(options.views);
    const svid = options.svid.current ?? first;
    dataPath = new DataPath(options, { svid, view: firstView, metrics });
    await dataPath.open();
  } catch (error) {
    await Promise.all([dataPath?.close(), admin.close()]);
    throw error;
  }
  const opened = dataPath;
  return {
    close: async () => {
      await Promise.all([opened.close(), admin.close()]);
    },
  };
}
