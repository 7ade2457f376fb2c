/** The control plane process: waits for its instructions on the inherited pipe, serves until asked to stop. */

import { startControlPlane } from "../../control/control-plane.ts";
import { controlPlaneFlags } from "../../control/control-plane-flags.ts";
import type {
  ControlPlaneInstruction,
  ControlPlaneReport,
  RunningNow,
} from "../../control/control-plane-messages.ts";
import type { RefusedResource } from "../../control/refused-resources.ts";
import { withChanges } from "../../control/text-changes.ts";
import type { WrittenText } from "../../control/written-texts.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { openProcessLogs } from "../process-logs.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

export async function controlPlaneCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  let announce = (_text: string): void => {};
  const { log } = openProcessLogs(systemClock, (text) => announce(text));
  const running = new WatchedValue<RunningNow>({ workloads: [], resources: [] });
  const texts = new WatchedValue<readonly WrittenText[]>([]);
  const start = createDeferred<ControlPlaneInstruction & { type: "start" }>();
  const pipe = openInheritedPipe<ControlPlaneInstruction, ControlPlaneReport>(
    (instruction) => {
      if (instruction.type === "texts") {
        texts.set(withChanges(texts.current, instruction));
        return;
      }
      running.set(instruction);
      if (instruction.type === "start") start.resolve(instruction);
    },
    () => log.warn("the supervisor is gone; the control plane keeps serving"),
  );
  announce = (text) => pipe.send({ type: "notice", text });
  try {
    const wanted = await start.promise;
    const flags = controlPlaneFlags(process.env);
    const onRefused = (resources: readonly RefusedResource[]): void =>
      pipe.send({ type: "refusals", resources });
    const told = { announce, onRefused, log, clock: systemClock };
    const options = { ...wanted, texts, running, flags, ...told };
    const controlPlane = await startControlPlane(options);
    signal.removeEventListener("abort", endAtOnce);
    const { listen, rootPem } = controlPlane;
    pipe.send({ type: "ready", listen, rootPem: rootPem.current });
    rootPem.onChange((newest) => pipe.send({ type: "roots", rootPem: newest }));
    await aborted(signal);
    await controlPlane.close();
    return 0;
  } catch (error) {
    log.error("the control plane did not start", { problem: describeError(error) });
    pipe.send({ type: "failed", problem: describeError(error) });
    return 1;
  } finally {
    pipe.close();
  }
}
