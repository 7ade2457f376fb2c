/** A pod's Workload API with all it needs: tokens from the control plane, and who may call. */
import { JwtSvidClient, type JwtSvidClientOptions } from "../identity/jwt-svid-client.ts";
import type { CaptureSettings, WorkloadApiSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Watched } from "../runtime/watched.ts";
import { PinnedProcesses } from "./pinned-processes.ts";
import { startWorkloadApi } from "./workload-api.ts";
import { WorkloadCallers } from "./workload-callers.ts";
import { canTellOwners } from "./workload-ownership.ts";

export interface PodWorkloadApiOptions extends JwtSvidClientOptions {
  readonly settings: WorkloadApiSettings;
  readonly views: Watched<WorkloadView | undefined>;
  /** Present where the pod has namespaces of its own: then nobody else can open its socket. */
  readonly capture?: CaptureSettings | undefined;
  /** The first process of each container. */
  readonly applicationProcessIds: Watched<readonly number[]>;
}

export interface PodWorkloadApi {
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startPodWorkloadApi(options: PodWorkloadApiOptions): Promise<PodWorkloadApi> {
  const { settings, capture, applicationProcessIds, log } = options;
  const isShared = capture === undefined;
  if (isShared && !canTellOwners())
    log.warn("the Workload API serves every process of this user: this system tells no owners");
  const processes = new PinnedProcesses(applicationProcessIds);
  const callers =
    isShared && canTellOwners() ? new WorkloadCallers({ ...options, processes }) : undefined;
  const jwt = new JwtSvidClient(options);
  const stop = async (): Promise<void> => {
    processes.close();
    await jwt.close();
  };
  try {
    const server = await startWorkloadApi({ ...options, ...settings, callers, jwt });
    log.info("the Workload API serves", { path: settings.path });
    return {
      close: async () => {
        await Promise.all([server.close(), stop()]);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
