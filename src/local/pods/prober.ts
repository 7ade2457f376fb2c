/**
 * Asks a container, again and again, how it is. The application is asked directly, not through its sidecar, so a probe
 * needs no policy (INJ-27) and opens no way for anybody else.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Probe, ProbeCheck } from "../../api/probe.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { closedDescriptors } from "../processes/inherited-descriptors.ts";
import type { ProcessPlan } from "../processes/mesh-process.ts";

type Command = readonly [string, ...string[]];
export type ExecLaunch = Pick<ProcessPlan, "command" | "environment" | "workingDirectory">;

export type Health = "unknown" | "healthy" | "unhealthy";

export interface ProberOptions {
  readonly probe: Probe;
  /** Where the application listens for a container port. */
  readonly address: (containerPort: number) => SocketAddress | undefined;
  readonly connect: (address: SocketAddress) => Socket;
  /** For `exec`: what to start so that the command sees what the container sees. */
  readonly exec: (command: Command) => ExecLaunch;
  /** Hears of every change, with the reason of a failure. */
  readonly report: (health: Health, problem?: string) => void;
  readonly signal: AbortSignal;
}

/** Probes until `signal` aborts. */
export async function runProber(options: ProberOptions): Promise<void> {
  const { probe, report, signal } = options;
  let health: Health = "unknown";
  let successes = 0;
  let failures = 0;
  await pause(probe.initialDelaySeconds, signal);
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

function check(what: ProbeCheck, options: ProberOptions): Promise<void> {
  if (what.kind === "exec") return execute(what.command, options);
  const address = options.address(what.port);
  if (address === undefined) throw new Error(`port ${what.port} is not a port of the pod`);
  const open = (): Socket => options.connect(address);
  return what.kind === "tcpSocket"
    ? connectOnce(open, options.signal)
    : getOnce(what, { address, open, signal: options.signal });
}

/** 200 to 399 is well. */
async function getOnce(
  { path, headers }: Extract<ProbeCheck, { kind: "httpGet" }>,
  {
    address,
    open,
    signal,
  }: {
    readonly address: SocketAddress;
    readonly open: () => Socket;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const request = get({
    host: address.address,
    port: address.port,
    createConnection: open, // not asked for where there is an agent
    path,
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    signal,
  });
  const [response] = await once(request, "response", { signal });
  response.on("error", () => response.destroy()); // cut off by the next line
  response.destroy();
  const status: number = response.statusCode;
  if (status < 200 || status >= 400) throw new Error(`status ${status}`);
}

async function connectOnce(open: () => Socket, signal: AbortSignal): Promise<void> {
  const socket = open();
  try {
    await once(socket, "connect", { signal });
  } finally {
    socket.destroy();
  }
}

async function execute(
  [program = "", ...rest]: readonly string[],
  { exec, signal }: ProberOptions,
): Promise<void> {
  const { command, environment, workingDirectory } = exec([program, ...rest]);
  const [first, ...parameters] = command;
  const child = spawn(first, parameters, {
    cwd: workingDirectory,
    env: environment,
    stdio: closedDescriptors(),
    detached: true,
  });
  try {
    const [code] = await once(child, "exit", { signal });
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
  } finally {
    endGroup(child.pid);
  }
}

/** A probe leaves nothing behind, whether it ended or was given up. */
function endGroup(processId: number | undefined): void {
  try {
    if (processId !== undefined) process.kill(-processId, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
