/**
 * The embedded sidecar's data path, assembled: nothing is served before the first certificate and the first view are
 * there; afterwards both may change at any time without a connection being dropped for it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { firstValue } from "../runtime/first-value.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { requireLinuxSockets } from "../runtime/linux-socket.ts";
import type { Log, LogLevel } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { Tracing } from "../telemetry/tracing/tracing.ts";
import { UserAccessLogs } from "../telemetry/user-access-logs.ts";
import { sidecarAnswers } from "./admin-answers.ts";
import type { SidecarState } from "./admin-server.ts";
import { type CompiledView, compileView } from "./compiled-view.ts";
import { InboundSide } from "./inbound-side.ts";
import { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import { nodeIdOf } from "./node-id.ts";
import { openWhenFree } from "./open-when-free.ts";
import { OutboundSide, type OutboundSideOptions } from "./outbound-side.ts";
import { PinnedProcesses } from "./pinned-processes.ts";
import { PodNames } from "./pod-names.ts";
import { proxyCredentials } from "./proxy-credentials.ts";
import { Recorder } from "./recorder.ts";
import { ServedCertificateWatch } from "./served-certificate.ts";
import { openSidecarAdmin, type SidecarAdmin, type SidecarAdminOptions } from "./sidecar-admin.ts";
import { KnownTokens } from "./token-authentication.ts";
import { canTellOwners, WorkloadOwnership } from "./workload-ownership.ts";

export interface SidecarOptions {
  readonly namespace: string;
  /** Pod name: also the user name of the HTTP proxy. */
  readonly name: string;
  readonly adminPort: number;
  /** Path of the Unix socket of its administration; absent: there is none. */
  readonly adminSocket?: string;
  /** Absent: port and socket are opened here. */
  readonly openAdmin?: (options: SidecarAdminOptions) => Promise<SidecarAdmin>;
  /** Of `log`, for whoever changes it over that socket. */
  readonly logLevel?: WatchedValue<LogLevel>;
  readonly proxyPassword: string;
  /** Present where the kernel leads the pod's connections to the sidecar; absent: it listens for each by itself. */
  readonly capture?: CaptureSettings;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  /** The first process of each container; they and all they start are the sidecar's own workload. */
  readonly applicationProcessIds: Watched<readonly number[]>;
  /** Takes one line, without its line end. */
  readonly accessLog: (line: string) => void;
  /** What `/dev/stdout` and `/dev/stderr` stand for in access logs that users configure; absent: nothing is written there. */
  readonly logStreams?: ReadonlyMap<string, LineSink>;
  readonly log: Log;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /**
   * Serves every local process on the plain outbound listeners where the owner of a connection cannot be found out;
   * without it they stay closed there.
   */
  readonly trustLoopbackCallers?: true;
}

export interface Sidecar {
  /** Stops accepting, lets what is under way end within 5 seconds, then cuts it. */
  close(): Promise<void>;
}

const RETRY_LISTEN_MS = 1_000;

/**
 * Resolves once the first view is served.
 *
 * @throws ListenError when a port of the first view, or the admin port, cannot be opened
 * @throws LinuxSocketError when it is to intercept connections, and cannot here
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  if (options.capture !== undefined) requireLinuxSockets(options.capture);
  const metrics = createMetrics(options.clock);
  let dataPath: DataPath | undefined;
  const state = (): SidecarState => dataPath?.state ?? "starting";
  const view = (): WorkloadView | undefined => dataPath?.view;
  const drain = async (): Promise<void> => dataPath?.close();
  const answer = sidecarAnswers({ ...options, metrics, state, view, drain });
  const { openAdmin = openSidecarAdmin } = options;
  const admin = await openAdmin({ ...options, metrics, state, answer });
  try {
    const first = await firstValue(options.svid);
    const firstView = await firstValue(options.views);
    const svid = options.svid.current ?? first;
    dataPath = new DataPath(options, { svid, view: firstView, metrics });
    await dataPath.open();
  } catch (error) {
    await Promise.all([dataPath?.close(), admin.close()]);
    throw error;
  }
  const opened = dataPath;
  return {
    close: async () => {
      await Promise.all([opened.close(), admin.close()]);
    },
  };
}

class DataPath {
  readonly #options: SidecarOptions;
  readonly #metrics: Metrics;
  readonly #compiled: WatchedValue<CompiledView>;
  readonly #terminator: MutualTlsTerminator;
  readonly #inbound: InboundSide;
  readonly #outbound: OutboundSide;
  readonly #names: PodNames | undefined;
  readonly #unwatch: (() => void)[] = [];
  readonly #served: ServedCertificateWatch;
  readonly #userLogs: UserAccessLogs;
  readonly #tracing: Tracing;
  #svid: X509Svid;
  #applying: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #state: SidecarState = "starting";
  readonly #knownTokens: KnownTokens = new KnownTokens();

  constructor(
    options: SidecarOptions,
    {
      svid,
      view,
      metrics,
    }: { readonly svid: X509Svid; readonly view: WorkloadView; readonly metrics: Metrics },
  ) {
    this.#options = options;
    this.#metrics = metrics;
    this.#svid = svid;
    this.#compiled = new WatchedValue(compileView(view, this.#knownTokens));
    this.#terminator = new MutualTlsTerminator({ svid, trust: view.trust });
    this.#userLogs = new UserAccessLogs({
      streams: options.logStreams ?? new Map(),
      log: options.log,
    });
    this.#tracing = new Tracing({
      nodeId: nodeIdOf(options),
      log: options.log,
      chance: options.random,
      connect: (place, signal) => this.#outbound.connectCollector(place, signal),
    });
    const recorder = new Recorder({
      ...options,
      metrics,
      tracing: this.#tracing,
      userLogs: this.#userLogs,
      view: () => this.#compiled.current.view,
    });
    const capture = options.capture && { ...options.capture, adminPort: options.adminPort };
    const shared = { ...options, capture, compiled: this.#compiled, recorder };
    this.#names = capture && new PodNames({ ...shared, capture });
    this.#inbound = new InboundSide({ ...shared, terminator: this.#terminator });
    this.#outbound = new OutboundSide({
      ...shared,
      svid,
      credentials: proxyCredentials({ user: options.name, password: options.proxyPassword }),
      ownership: capture === undefined ? this.#ownershipRule() : undefined,
    });
    metrics.setCertificateExpiry(svid.notAfter);
    this.#served = new ServedCertificateWatch({
      served: () => this.#terminator.served(),
      newest: () => (options.svid.current ?? svid).serialNumber,
      onVerdict: (verdict) => metrics.setServedCertificate(verdict),
      log: options.log,
    });
  }

  async open(): Promise<void> {
    const { svid, views } = this.#options;
    this.#unwatch.push(
      svid.onChange((next) => next !== undefined && this.#renew(next)),
      views.onChange((next) => next !== undefined && this.#follow(next)),
    );
    const opened = openWhenFree(() => this.#apply());
    this.#applying = opened.then(undefined, () => {}); // its failure is ours to tell, below
    await opened;
    if (this.#closing === undefined) this.#state = "ready";
  }

  get state(): SidecarState {
    return this.#state;
  }

  /** The one in force. */
  get view(): WorkloadView {
    return this.#compiled.current.view;
  }

  /** Whoever asks again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#state = "draining";
    clearTimeout(this.#retry);
    this.#served.close();
    for (const unwatch of this.#unwatch) unwatch();
    await this.#applying;
    await Promise.all([this.#inbound.close(), this.#outbound.close(), this.#names?.close()]);
    await lastRecords();
    await Promise.all([this.#userLogs.close(), this.#tracing.close()]);
  }

  #ownershipRule(): OutboundSideOptions["ownership"] {
    const { applicationProcessIds, trustLoopbackCallers, clock, log } = this.#options;
    if (canTellOwners()) {
      const processes = new PinnedProcesses(applicationProcessIds);
      const ownership = new WorkloadOwnership({ processes, clock });
      this.#unwatch.push(
        () => ownership.close(),
        () => processes.close(),
      );
      return (accepted) => ownership.of(accepted);
    }
    if (trustLoopbackCallers) {
      log.warn("outbound listeners serve every local process: this system does not tell owners");
      return () => Promise.resolve({ owner: "own-workload" });
    }
    log.warn("outbound listeners stay closed: this system does not tell who owns a connection");
    return undefined;
  }

  #renew(svid: X509Svid): void {
    this.#svid = svid;
    this.#options.log.debug("certificate in use", { serialNumber: svid.serialNumber });
    this.#useCredentials();
    this.#metrics.setCertificateExpiry(svid.notAfter);
  }

  /** The new policy is in force before the next request is judged; listeners follow. */
  #follow(view: WorkloadView): void {
    let compiled: CompiledView;
    try {
      compiled = compileView(view, this.#knownTokens);
    } catch (error) {
      this.#options.log.error("view refused", { problem: describeError(error) });
      return;
    }
    this.#compiled.set(compiled);
    const { inbound, outbound } = view;
    this.#options.log.debug("view in force", {
      ports: inbound.ports.length,
      destinations: outbound.destinations.length,
    });
    this.#useCredentials();
    this.#inbound.enforce(compiled);
    this.#applyLater();
  }

  /** What cannot be used leaves the last good credentials in place. */
  #useCredentials(): void {
    const { trust } = this.#compiled.current.view;
    try {
      this.#terminator.setCredentials({ svid: this.#svid, trust });
      this.#outbound.refresh(this.#svid);
    } catch (error) {
      this.#options.log.error("credentials refused", { problem: describeError(error) });
    }
  }

  async #apply(): Promise<void> {
    const compiled = this.#compiled.current;
    await Promise.all([
      this.#inbound.apply(compiled),
      this.#outbound.apply(compiled),
      this.#names?.open(),
    ]);
  }

  #applyLater(): void {
    clearTimeout(this.#retry);
    this.#applying = this.#applying
      .then(() => (this.#closing ? undefined : this.#apply()))
      .catch((error: unknown) => {
        this.#options.log.error("listener not opened", { problem: describeError(error) });
        if (this.#closing === undefined)
          this.#retry = setTimeout(() => this.#applyLater(), RETRY_LISTEN_MS);
      });
  }
}

/** What was cut is told within some turns: its socket closes, then the one beyond it, and then its exchange is over. */
async function lastRecords(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await nextTurn();
}
