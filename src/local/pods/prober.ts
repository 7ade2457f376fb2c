/**
 * Asks a container, again and again, how it is.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Probe, ProbeCheck } from "../../api/probe.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { checkGrpcHealth } from "../../wire/health-check.ts";
import { checkByCommand, type ExecCheckOptions } from "./exec-check.ts";
import { checkHttp, PROBE_USER_AGENT } from "./http-check.ts";
import type { ProbedPlace } from "./probed-place.ts";

export type Health = "unknown" | "healthy" | "unhealthy";

export interface ProberOptions {
  readonly probe: Probe;
  readonly place: ProbedPlace;
  readonly exec: ExecCheckOptions["exec"];
  /**
   * "listened to": what is well before `initialDelaySeconds` are over is taken for well, and what fails by then is no
   * failure. Absent: nobody is asked before.
   */
  readonly initialDelay?: "listened to";
  /** Hears of every change, with the reason of a failure. */
  readonly report: (health: Health, problem?: string) => void;
  readonly signal: AbortSignal;
}

/** Between questions that come before their time. */
const EARLY_PERIOD_SECONDS = 0.2;

/** Probes until `signal` aborts. */
export async function runProber(options: ProberOptions): Promise<void> {
  const { probe, report, signal } = options;
  let health = await afterInitialDelay(options);
  let successes = 0;
  let failures = 0;
  if (health === "healthy") await pause(probe.periodSeconds, signal);
  while (!signal.aborted) {
    const problem = await checkOnce(options);
    if (signal.aborted) return;
    successes = problem === undefined ? successes + 1 : 0;
    failures = problem === undefined ? 0 : failures + 1;
    if (health !== "healthy" && successes >= probe.successThreshold) {
      health = "healthy";
      report(health);
    } else if (health !== "unhealthy" && failures >= probe.failureThreshold) {
      health = "unhealthy";
      report(health, problem);
    }
    await pause(probe.periodSeconds, signal);
  }
}

/** Told already where it is "healthy". */
async function afterInitialDelay(options: ProberOptions): Promise<Health> {
  const { probe, report, signal, initialDelay } = options;
  if (initialDelay === undefined) {
    await pause(probe.initialDelaySeconds, signal);
    return "unknown";
  }
  const endsAt = performance.now() + probe.initialDelaySeconds * 1_000;
  let successes = 0;
  while (!signal.aborted && performance.now() < endsAt) {
    successes = (await checkOnce(options)) === undefined ? successes + 1 : 0;
    if (successes >= probe.successThreshold && !signal.aborted) {
      report("healthy");
      return "healthy";
    }
    await pause(EARLY_PERIOD_SECONDS, signal);
  }
  return "unknown";
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(seconds * 1000, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** @returns what is wrong; undefined when all is well */
async function checkOnce(options: ProberOptions): Promise<string | undefined> {
  const { probe, signal } = options;
  const timeout = AbortSignal.timeout(probe.timeoutSeconds * 1000);
  try {
    await check(probe.check, { ...options, signal: AbortSignal.any([signal, timeout]) });
    return undefined;
  } catch (error) {
    return timeout.aborted ? `no answer within ${probe.timeoutSeconds} s` : describeError(error);
  }
}

function check(what: ProbeCheck, { place, exec, signal }: ProberOptions): Promise<void> {
  if (what.kind === "exec") return checkByCommand(what.command, { exec, signal });
  const address = place.address(what.port);
  if (address === undefined) throw new Error(`port ${what.port} is not a port of the pod`);
  const open = (): Socket => place.connect(address);
  switch (what.kind) {
    case "httpGet":
      return checkHttp(what, { place, address, signal });
    case "tcpSocket":
      return connectOnce(open, signal);
    case "grpc": {
      const authority = `${address.address}:${address.port}`;
      const { service } = what;
      return checkGrpcHealth({ authority, open, service, userAgent: PROBE_USER_AGENT, signal });
    }
  }
}

async function connectOnce(open: () => Socket, signal: AbortSignal): Promise<void> {
  const socket = open();
  try {
    await once(socket, "connect", { signal });
  } finally {
    socket.destroy();
  }
}
