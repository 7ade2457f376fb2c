/**
 * What a container's probes come to: it is started once its startup probe says so, ready as long as its readiness probe
 * does, and ended, to be started again, when its liveness probe gives it up.
 */
import type { Container } from "../../api/container.ts";
import type { Probe } from "../../api/probe.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { type ProberOptions, runProber } from "./prober.ts";

export interface ContainerHealthOptions
  extends Omit<ProberOptions, "probe" | "report" | "signal" | "initialDelay"> {
  readonly container: Container;
  /**
   * "again": it was ready before, so that it is asked at once whether it is so again. Nobody can be asked instead of it
   * where one pod stands for several.
   */
  readonly run: "first" | "again";
  /** Called when readiness changes; a container without readiness probe is ready at once. */
  readonly onReady: (ready: "ready" | "not-ready", problem?: string) => void;
  /** Called when the container has to be started again. */
  readonly onDead: (problem: string, by: Probe) => void;
}

export interface ContainerHealth {
  /** Ends all probing. */
  stop(): void;
}

/** Watches one run of a container; each run is watched anew. */
export function watchContainerHealth(options: ContainerHealthOptions): ContainerHealth {
  const { container, onReady, onDead, run: which } = options;
  const stop = new AbortController();
  const run = (probe: Probe, report: ProberOptions["report"], signal: AbortSignal): void => {
    const isEarly = which === "again" && probe === container.readinessProbe;
    const early = isEarly ? { initialDelay: "listened to" as const } : {};
    void runProber({ ...options, ...early, probe, report, signal });
  };
  const { startupProbe, readinessProbe, livenessProbe } = container;
  void hasStarted(startupProbe).then(() => {
    if (stop.signal.aborted) return;
    if (readinessProbe === undefined) onReady("ready");
    else
      run(
        readinessProbe,
        (health, problem) => onReady(health === "healthy" ? "ready" : "not-ready", problem),
        stop.signal,
      );
    if (livenessProbe !== undefined) run(livenessProbe, dead(livenessProbe), stop.signal);
  });
  return { stop: () => stop.abort() };

  function hasStarted(probe: Probe | undefined): Promise<void> {
    const started = createDeferred<void>();
    if (probe === undefined) return Promise.resolve();
    const startup = new AbortController();
    const report: ProberOptions["report"] = (health, problem) => {
      startup.abort();
      if (health === "healthy") started.resolve();
      else onDead(`startup probe: ${problem}`, probe);
    };
    run(probe, report, AbortSignal.any([startup.signal, stop.signal]));
    return started.promise;
  }

  function dead(probe: Probe): ProberOptions["report"] {
    return (health, problem) => {
      if (health === "unhealthy") onDead(`liveness probe: ${problem}`, probe);
    };
  }
}
