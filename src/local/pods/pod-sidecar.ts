/** The sidecar of a pod, ours or a real Envoy with its agent: started with what it must know, and told whatever changes. */
import { join } from "node:path";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { systemClock } from "../../runtime/clock.ts";
import { watchClockJumps } from "../../runtime/clock-jump.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { isJoined } from "../joining/joined-resources.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { PodNetwork } from "../network/mesh-fabric.ts";
import { SHARED_FOLDER_DESCRIPTOR } from "../network/mesh-ranges.ts";
import { keyOf } from "../pod-identity.ts";
import type { MeshProcess, ProcessPlan } from "../processes/mesh-process.ts";
import { firstReport } from "../processes/own-process.ts";
import { envoyAgentProcessPlan, sidecarProcessPlan } from "../processes/sidecar-process.ts";
import { SupervisedProcess } from "../processes/supervised-process.ts";
import type { PodContext } from "./pod-context.ts";
import type { PodPlaces } from "./pod-places.ts";

/** Half of a token's longest life. */
const TOKEN_REFRESH_MS = 30 * 60_000;

/** Whoever joined has ended by then: nothing is left to wait for. */
const JOINED_GRACE_MS = 500;

export interface PodSidecarOptions {
  readonly plan: PlannedPod;
  readonly context: PodContext;
  readonly places: PodPlaces;
  /** Of the HTTP proxy. */
  readonly proxyPassword: string;
  /** Of the pod. @throws NetworkNotStartedError while it has none */
  readonly network: () => PodNetwork;
  /** The first process of each of the pod's programs. */
  readonly applicationProcessIds: () => readonly number[];
}

export class PodSidecar {
  readonly process: SupervisedProcess;
  readonly #options: PodSidecarOptions;
  readonly #title: string;
  #report: Deferred<SidecarReport> = createDeferred();
  #tokenTimer: NodeJS.Timeout | undefined;
  #stopWatchingClock: (() => void) | undefined;

  constructor(options: PodSidecarOptions) {
    this.#options = options;
    const { plan, context } = options;
    this.#title = `${keyOf(plan.workload)} sidecar`;
    this.process = new SupervisedProcess({
      title: this.#title,
      restart: "always",
      random: context.random,
      plan: async () => this.#plan(),
      prepare: (started) => this.#bootstrap(started),
      report: (event) => context.report(this.#title, event),
    });
  }

  /** Resolves once it serves. @throws MeshStartError */
  async start(): Promise<void> {
    this.#tokenTimer = setInterval(() => this.#refreshToken(), TOKEN_REFRESH_MS).unref();
    this.#stopWatchingClock = watchClockJumps(systemClock, () => this.#refreshToken());
    await this.process.start();
  }

  async stop(): Promise<void> {
    clearInterval(this.#tokenTimer);
    this.#stopWatchingClock?.();
    await this.process.stop();
  }

  /** Says which processes are the pod's application by now. */
  tellApplication(): void {
    const processIds = this.#options.applicationProcessIds();
    this.process.send({ type: "application", processIds } satisfies SidecarInstruction);
  }

  #plan(): ProcessPlan {
    const { plan, context, places } = this.#options;
    const answer = createDeferred<SidecarReport>();
    this.#report = answer;
    const planOf = plan.dataPlane === "envoy" ? envoyAgentProcessPlan : sidecarProcessPlan;
    const planned = planOf({
      title: this.#title,
      hauberkCommand: context.hauberkCommand,
      parameters: ["--concurrency", `${plan.sidecar.concurrency}`],
      logDirectory: this.#logs,
      output: "access.log",
      errors: "sidecar.log",
      accessLog: "istio-access.log",
      ...(isJoined(plan.source) ? { graceMs: JOINED_GRACE_MS } : {}),
      receive: (message) => this.#hear(message as SidecarReport, answer),
    });
    const { network } = context;
    if (network === undefined) return planned;
    const { admin, shared } = places;
    const folders = [
      ...(admin.open === undefined ? [] : [admin.open]),
      ...(shared ? [{ source: shared.source, descriptor: SHARED_FOLDER_DESCRIPTOR }] : []),
    ];
    const pod = this.#options.network();
    return {
      ...planned,
      command: network.enclosures.encloseSidecar(planned.command, pod, folders),
    };
  }

  #hear(report: SidecarReport, answer: Deferred<SidecarReport>): void {
    if (report.type === "restarted") this.process.countInnerRestart(report.problem);
    else answer.resolve(report);
  }

  async #bootstrap(started: MeshProcess): Promise<void> {
    const { plan, context, places, proxyPassword } = this.#options;
    const { workload, adminPort = 0 } = plan;
    const { concurrency: _, ...sidecar } = plan.sidecar;
    const { network } = context;
    const { listen, rootPem } = await context.controlPlane();
    const bootstrap: SidecarInstruction = {
      type: "bootstrap",
      namespace: workload.namespace,
      name: workload.name,
      token: await context.issueToken(workload),
      rootPem,
      controlPlane: listen,
      cluster: context.cluster,
      adminPort,
      adminSocket: places.admin.sidecarPath,
      proxyPassword,
      ...sidecar,
      ...(plan.dataPlane === "envoy" && { envoy: await context.envoy() }),
      ...(network && workload.addresses && { capture: network.capture(workload.addresses) }),
      ...(places.workloadApi && { workloadApi: places.workloadApi.settings }),
      ...(places.proxyless && { proxyless: places.proxyless.settings }),
    };
    started.send(bootstrap);
    const log = join(this.#logs, "sidecar.log");
    await firstReport(started, { answer: this.#report.promise, log });
    this.tellApplication();
  }

  get #logs(): string {
    const { context, plan } = this.#options;
    return context.dataDirectory.logs(plan.workload);
  }

  /** Made on this machine from a key that does not expire: a sidecar that slept through everything can prove itself. */
  #refreshToken(): void {
    const { plan, context } = this.#options;
    Promise.all([context.issueToken(plan.workload), context.controlPlane()]).then(
      ([token, { rootPem }]) =>
        this.process.send({ type: "token", token, rootPem } satisfies SidecarInstruction),
      (error: unknown) =>
        context.report(`${keyOf(plan.workload)} token`, {
          type: "failed",
          problem: describeError(error),
        }),
    );
  }
}
