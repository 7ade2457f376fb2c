/** One sidecar process: identity from the certificate service, view from discovery, then the data path. */
import { compileAhead } from "../../proxy/compile-ahead.ts";
import { startSidecar } from "../../proxy/sidecar.ts";
import { systemClock } from "../../runtime/clock.ts";
import { collectOldGarbage, garbageCollector } from "../../runtime/old-garbage.ts";
import { type Closable, closeAll } from "../close-all.ts";
import { endUnstarted, instructedWorkload } from "../instructed-workload.ts";
import { openPodServices } from "../open-pod-services.ts";
import { openSidecarProcess } from "../sidecar-process.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

/** Standard output carries the access log, standard error the operational log. */
export async function sidecarCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const { log, logLevel, writeOutput, logStreams, worker } = openSidecarProcess();
  const workload = await instructedWorkload({
    ...{ log, signal, place: worker?.place },
    beforehand: compileAhead,
  });
  const { bootstrap } = workload;
  const told = { ...workload, clock: systemClock, log, random: Math.random };
  const opened: Closable[] = [];
  try {
    const sidecar = await startSidecar({
      ...bootstrap,
      ...told,
      ...(worker && { openAdmin: worker.openAdmin, processes: worker.place.of }),
      logLevel,
      accessLog: writeOutput,
      logStreams,
    });
    opened.push(sidecar);
    await openPodServices(bootstrap, { ...bootstrap, ...told, onRefused: workload.refuse }, opened);
    signal.removeEventListener("abort", endAtOnce);
    workload.tell({ type: "ready" });
  } catch (error) {
    return endUnstarted(error, { what: "the sidecar", log, workload, opened });
  }
  const collector = garbageCollector();
  if (collector !== undefined) void collectOldGarbage(collector, { signal });
  await aborted(signal);
  await closeAll(opened);
  await workload.close();
  await worker?.leave();
  return 0;
}
