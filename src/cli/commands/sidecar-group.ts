/**
 * One sidecar of several processes: this one holds the ports, the administration and the pipe to whoever started it, and
 * keeps the others running. It has no key, and sees no traffic.
 */
import type {
  SidecarBootstrap,
  SidecarInstruction,
  SidecarReport,
} from "../../policy/sidecar-bootstrap.ts";
import { openSidecarAdmin } from "../../proxy/sidecar-admin.ts";
import { groupAnswers } from "../../proxy/workers/group-answers.ts";
import { GroupMetrics } from "../../proxy/workers/group-metrics.ts";
import { prepareWorkers } from "../../proxy/workers/worker.ts";
import { WorkerGroup } from "../../proxy/workers/worker-group.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { SharedLogs } from "../../runtime/shared-logs.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { LogKeeper } from "../log-keeper.ts";
import { openProcessLogs } from "../process-logs.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

type Bootstrap = SidecarInstruction & SidecarBootstrap;

/** @param workers at least two */
export async function sidecarGroupCommand(workers: number): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const logs = new SharedLogs(() => keeper.beginFullAnew());
  const { log, logLevel } = openProcessLogs(systemClock, undefined, logs.open);
  const bootstrapped = createDeferred<Bootstrap>();
  const metrics = new GroupMetrics();
  const group = new WorkerGroup({
    workers,
    logLevel,
    onFullLog: () => keeper.beginFullAnew(),
    onEnd: (number) => metrics.end(number),
    log,
    random: Math.random,
  });
  const keeper = new LogKeeper({ group, logs, log });
  const pipe = openInheritedPipe<SidecarInstruction, SidecarReport>(
    (instruction) => {
      if (instruction.type === "bootstrap") bootstrapped.resolve(instruction);
      else group.instruct(instruction);
    },
    () => log.warn("the supervisor is gone; the sidecar keeps serving"),
  );
  const bootstrap = await bootstrapped.promise;
  prepareWorkers("sidecar");
  try {
    const told = { metrics: metrics.of(group), state: () => group.state, log };
    const answer = groupAnswers({ ...told, group, logLevel });
    const admin = await openSidecarAdmin({ ...bootstrap, ...told, answer });
    const report = await group.start(bootstrap);
    pipe.send(report);
    if (report.type === "failed") process.exit(1); // its workers end with it
    signal.removeEventListener("abort", endAtOnce);
    await aborted(signal);
    await group.stop();
    await admin.close();
  } catch (error) {
    const problem = describeError(error);
    log.error("the sidecar did not start", { problem });
    pipe.send({ type: "failed", problem });
    process.exit(1);
  }
  pipe.close();
  return 0;
}
