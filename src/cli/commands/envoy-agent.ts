/** One agent and its Envoy: identity from the certificate service, then Envoy, which is told everything else. */
import { AcceptedTrust } from "../../envoy-agent/accepted-trust.ts";
import { startEnvoyAgent } from "../../envoy-agent/envoy-agent.ts";
import { systemClock } from "../../runtime/clock.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { collectOldGarbage, garbageCollector } from "../../runtime/old-garbage.ts";
import { GatheredLines } from "../../telemetry/gathered-lines.ts";
import { type Closable, closeAll } from "../close-all.ts";
import { endUnstarted, instructedWorkload } from "../instructed-workload.ts";
import { openLogStreams } from "../log-streams.ts";
import { openPodServices } from "../open-pod-services.ts";
import { openProcessLogs } from "../process-logs.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

/** Whoever started the agent did not say which Envoy to run. */
class NoEnvoyError extends HauberkError {
  readonly code = "HAUBERK_NO_ENVOY";
}

/** Standard error carries the operational log, the agent's and Envoy's. */
export async function envoyAgentCommand(concurrency: number): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const { log, logLevel, writeOutput } = openProcessLogs(systemClock);
  const sink = openLogStreams().get("/dev/stdout");
  const userLogs = sink && new GatheredLines({ sink, name: "istio-access.log", log });
  const acceptedTrust = new AcceptedTrust();
  const workload = await instructedWorkload({
    log,
    signal,
    inForce: ({ trust }) => acceptedTrust.settled(trust, signal),
    updates: "fields",
  });
  const { bootstrap } = workload;
  const told = { ...workload, clock: systemClock, log, random: Math.random };
  const opened: Closable[] = [];
  let failed: Promise<never> | undefined;
  try {
    const { envoy, adminSocket } = bootstrap;
    if (envoy === undefined || adminSocket === undefined)
      throw new NoEnvoyError("the agent was not told which Envoy to run, and where");
    const agent = await startEnvoyAgent({
      ...bootstrap,
      ...told,
      envoy,
      adminSocket,
      concurrency,
      acceptedTrust,
      onRefused: workload.refuse,
      onRestart: (problem) => workload.tell({ type: "restarted", problem }),
      logLevel,
      accessLog: (line) => userLogs?.add(line),
      decisions: writeOutput,
    });
    opened.push(agent);
    failed = agent.failed;
    await openPodServices(bootstrap, { ...bootstrap, ...told, onRefused: workload.refuse }, opened);
    signal.removeEventListener("abort", endAtOnce);
    workload.tell({ type: "ready" });
  } catch (error) {
    return endUnstarted(error, { what: "Envoy's agent", log, workload, opened });
  }
  const collector = garbageCollector();
  if (collector !== undefined) void collectOldGarbage(collector, { signal });
  const code = await endedBy(failed, { signal, log });
  await closeAll(opened);
  await userLogs?.close();
  if (code !== 0) process.exit(code); // whoever supervises starts both anew
  await workload.close();
  return code;
}

async function endedBy(
  failed: Promise<never>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: { error(text: string): void } },
): Promise<number> {
  try {
    await Promise.race([aborted(signal), failed]);
    return 0;
  } catch (error) {
    log.error(describeError(error));
    return 1;
  }
}
