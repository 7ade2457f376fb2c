/** Logs of a running mesh's pods, and ways into them, for its Kubernetes API. */
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { badRequest } from "../api-server/objects/refusals.ts";
import { StatusError } from "../api-server/objects/status-error.ts";
import type { PodStreamRequest, PodStreams } from "../api-server/rest/pod-streams.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { LocalMesh } from "../local-mesh.ts";
import { isControlPlanePod } from "../mesh-objects/projection/system-objects.ts";
import { logFileOf } from "../pods/pod-container.ts";
import type { AnswerAsEnvoy } from "./answer-as-envoy.ts";
import { type ExecWish, parseExecWish } from "./exec/exec-wish.ts";
import { runBesideSidecar } from "./exec/run-beside-sidecar.ts";
import { runCommand } from "./exec/run-command.ts";
import { type RunFor, serveExec } from "./exec/serve-exec.ts";
import { connectToControlPlane, connectToPort } from "./forward/port-in-pod.ts";
import { servePortForward } from "./forward/serve-port-forward.ts";
import { openApplicationLog } from "./logs/application-log.ts";
import { type LogRun, LogRuns } from "./logs/log-runs.ts";
import type { LogSource } from "./logs/log-source.ts";
import { type LogWish, parseLogWish } from "./logs/log-wish.ts";
import { openControlPlaneLog, openProxyLog, type TellCall } from "./logs/proxy-log.ts";
import { serveLog } from "./logs/serve-log.ts";
import { runningPod, type StreamedPart, streamedPart } from "./streamed-part.ts";
import type { UpgradedConnection } from "./web-socket.ts";

/** Of one mesh, at any time; each has files open, or processes. */
const MAX_STREAMS = 128;

export interface LocalPodStreamsOptions {
  readonly mesh: LocalMesh;
  readonly dataDirectory: DataDirectory;
  readonly clock: Clock;
  /** Tells lines of sidecars' own access logs in Istio's words. */
  readonly tellCall: TellCall;
  /** What is said to those who take a sidecar for an Envoy. */
  readonly answerAsEnvoy: AnswerAsEnvoy;
  readonly log: Log;
}

export class LocalPodStreams implements PodStreams {
  readonly #options: LocalPodStreamsOptions;
  readonly #runs: LogRuns;
  readonly #closing: AbortController = new AbortController();
  #open = 0;

  constructor(options: LocalPodStreamsOptions) {
    this.#options = options;
    this.#runs = new LogRuns(options.mesh, options.dataDirectory, options.clock);
  }

  close(): void {
    this.#runs.close();
    this.#closing.abort();
  }

  async log({ pod, query }: PodStreamRequest, response: ServerResponse): Promise<void> {
    await this.#counted(async () => {
      const { mesh } = this.#options;
      const wish = parseLogWish(query, this.#now);
      const part = streamedPart(mesh, pod, query.get("container"));
      const run = this.#runOf(part, wish);
      const source = await this.#openLog(part, { run, wish });
      const { restarts } = part.process;
      const isOver = (): boolean =>
        run.end !== undefined || hasEnded(part) || part.process.restarts !== restarts;
      await serveLog({ source, wish, isOver }, response);
    });
  }

  async upgrade(
    { pod, query, subresource }: Parameters<PodStreams["upgrade"]>[0],
    connection: UpgradedConnection,
  ): Promise<void> {
    await this.#counted(async () => {
      if (subresource === "portforward") return await this.#forward(pod, connection);
      await this.#exec(streamedPart(this.#options.mesh, pod, query.get("container")), {
        wish: parseExecWish(query),
        connection,
      });
    });
  }

  async #exec(
    part: StreamedPart,
    { wish, connection }: { readonly wish: ExecWish; readonly connection: UpgradedConnection },
  ): Promise<void> {
    const { mesh, answerAsEnvoy } = this.#options;
    if (part.kind === "control-plane")
      throw badRequest("the control plane is no container: use the commands of hauberk");
    if (part.process.processId === undefined)
      throw badRequest(`container "${part.name}" does not run`);
    const { pod } = part;
    const end = this.#endOf(part);
    try {
      const run: RunFor = async (client) => {
        const wishes = { client, wish, ended: end.signal };
        return part.kind === "sidecar"
          ? await runBesideSidecar({ mesh, pod, answerAsEnvoy }, wishes)
          : await runCommand((command) => part.container.launchBeside(command), {
              ...wishes,
              admit: (processId) => pod.admitCommand(processId),
            });
      };
      await serveExec({ wish, run }, connection);
    } finally {
      end.forget();
    }
  }

  /** Aborted when what runs now in a container ends, or the mesh does. */
  #endOf({ process }: StreamedPart): { readonly signal: AbortSignal; forget(): void } {
    const own = new AbortController();
    const { processId } = process;
    const stop = this.#options.mesh.onChange(() => {
      if (process.processId !== processId) own.abort();
    });
    return { signal: AbortSignal.any([own.signal, this.#closing.signal]), forget: stop };
  }

  async #forward(object: KubernetesObject, connection: UpgradedConnection): Promise<void> {
    const { mesh, answerAsEnvoy, log } = this.#options;
    const name = object.metadata.name ?? "";
    if (isControlPlanePod(object.metadata)) {
      const toControlPlane = { pod: name, connect: () => connectToControlPlane(mesh), log };
      return await servePortForward(toControlPlane, connection);
    }
    const pod = runningPod(mesh, object);
    const connect = (port: number): Duplex => connectToPort(pod, { port, answerAsEnvoy });
    await servePortForward({ pod: name, connect, log }, connection);
  }

  async #openLog(
    part: StreamedPart,
    { run, wish }: { readonly run: LogRun; readonly wish: LogWish },
  ): Promise<LogSource> {
    const { dataDirectory, tellCall } = this.#options;
    if (part.kind === "control-plane")
      return openControlPlaneLog(dataDirectory.controlPlaneLog, run);
    const folder = dataDirectory.logs(part.pod.plan.workload);
    if (part.kind === "sidecar") return openProxyLog(folder, { run, tell: tellCall });
    return await openApplicationLog({
      path: join(folder, logFileOf(part.written)),
      run,
      marks: () => this.#runs.marks(part.process),
      since: wish.since,
      tailLines: wish.tailLines,
      now: () => this.#now,
    });
  }

  /** @throws StatusError 400 */
  #runOf({ name, process, ...part }: StreamedPart, { previous }: LogWish): LogRun {
    const run = this.#runs.run(process, previous ? "previous" : "current");
    if (run !== undefined) return run;
    if (!previous) return { start: 0 };
    const pod = "pod" in part ? part.pod.plan.workload.name : "istiod-0";
    throw badRequest(`previous terminated container "${name}" in pod "${pod}" not found`);
  }

  async #counted(work: () => Promise<void>): Promise<void> {
    if (this.#open >= MAX_STREAMS)
      throw new StatusError(429, "TooManyRequests", {
        message: `at most ${MAX_STREAMS} logs and connections into pods are served at once`,
        details: { retryAfterSeconds: 1 },
      });
    this.#open++;
    try {
      await work();
    } finally {
      this.#open--;
    }
  }

  get #now(): number {
    return this.#options.clock.now().getTime();
  }
}

/** What runs will write no more. */
function hasEnded({ process: { phase } }: StreamedPart): boolean {
  return phase === "waiting" || phase === "completed" || phase === "stopped";
}
