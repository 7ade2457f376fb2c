/** What the application asks for by name, where the kernel leads its questions to the agent; Envoy asks, too. */
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { PodNames } from "../proxy/pod-names.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export interface AgentNamesOptions {
  /** Present where the kernel leads the pod's connections to Envoy; elsewhere nobody asks. */
  readonly capture?: CaptureSettings;
  readonly views: Watched<WorkloadView | undefined>;
  readonly adminPort: number;
  readonly log: Log;
}

/** @throws ListenError */
export async function openAgentNames(
  { capture, views, adminPort, log }: AgentNamesOptions,
  first: WorkloadView,
): Promise<{ close(): Promise<void> }> {
  if (capture === undefined) return { close: async () => {} };
  const compiled = new WatchedValue({ view: first });
  const unwatch = views.onChange((view) => view && compiled.set({ view }));
  const names = new PodNames({ capture: { ...capture, adminPort }, compiled, log });
  const close = (): Promise<void> => {
    unwatch();
    return names.close();
  };
  try {
    await names.open();
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
