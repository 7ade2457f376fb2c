/**
 * The data path of the embedded sidecar, assembled: certificate and view may change at any time without a connection being
 * dropped for it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { LogLine } from "../runtime/line-bytes.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Tracing } from "../telemetry/tracing/tracing.ts";
import { UserAccessLogs } from "../telemetry/user-access-logs.ts";
import type { SidecarState } from "./admin-server.ts";
import { type CompiledView, compileView, withDestinations } from "./compiled-view.ts";
import { RunningTrials } from "./external-authorization/running-trials.ts";
import type { GatewaySide } from "./gateway-side/gateway-side.ts";
import { InboundSide } from "./inbound-side.ts";
import { LookedUpEndpoints } from "./looked-up-endpoints.ts";
import { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import { lookUpByMachine } from "./name-lookup.ts";
import { nodeIdOf } from "./node-id.ts";
import { openWhenFree } from "./open-when-free.ts";
import { OutboundSide } from "./outbound-side.ts";
import { type OwnershipRuleOptions, ownershipRule } from "./ownership-rule.ts";
import { PodNames } from "./pod-names.ts";
import { proxyCredentials } from "./proxy-credentials.ts";
import { countGlobally } from "./rate-limits/count-globally.ts";
import { KnownLimits } from "./rate-limits/known-limits.ts";
import { Recorder } from "./recorder.ts";
import { ServedCertificateWatch } from "./served-certificate.ts";
import { KnownTokens } from "./token-authentication.ts";

export interface DataPathOptions extends OwnershipRuleOptions {
  readonly namespace: string;
  /** Pod name: also the user name of the HTTP proxy. */
  readonly name: string;
  readonly adminPort: number;
  readonly proxyPassword: string;
  /** Present where the kernel leads the pod's connections to the sidecar; absent: it listens for each by itself. */
  readonly capture?: CaptureSettings;
  readonly svid: Watched<X509Svid | undefined>;
  /** `host:port` of who counts for the whole mesh; absent: nobody can be asked. */
  readonly controlPlane?: string;
  /** PEM of the roots that its certificate must chain to, as known when a connection starts. */
  readonly rootsPem?: () => readonly string[];
  readonly views: Watched<WorkloadView | undefined>;
  /** Takes one line, without its line end. */
  readonly accessLog: (line: LogLine) => void;
  /** What `/dev/stdout` and `/dev/stderr` stand for in access logs that users configure; absent: nothing is written there. */
  readonly logStreams?: ReadonlyMap<string, LineSink>;
  /** How many processes the sidecar is, of which this is one. Absent: 1. */
  readonly processes?: number | undefined;
  /** A number in [0, 1). */
  readonly random: () => number;
}

const RETRY_LISTEN_MS = 1_000;
/** Before anything is served; what is not found by then is missing for a moment. */
const FIRST_LOOKUPS_MS = 2_000;

export interface DataPathStart {
  readonly svid: X509Svid;
  readonly view: WorkloadView;
  readonly metrics: Metrics;
}

export class DataPath {
  readonly #options: DataPathOptions;
  readonly #metrics: Metrics;
  readonly #compiled: WatchedValue<CompiledView>;
  readonly #terminator: MutualTlsTerminator;
  readonly #inbound: InboundSide;
  readonly #outbound: OutboundSide;
  /** Once a view has made the pod a gateway. */
  #gateway: GatewaySide | undefined;
  readonly #names: PodNames | undefined;
  readonly #unwatch: (() => void)[] = [];
  readonly #served: ServedCertificateWatch;
  readonly #userLogs: UserAccessLogs;
  readonly #tracing: Tracing;
  readonly #recorder: Recorder;
  #svid: X509Svid;
  #applying: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #state: SidecarState = "starting";
  readonly #trials: RunningTrials = new RunningTrials();
  readonly #knownTokens: KnownTokens = new KnownTokens();
  readonly #knownLimits: KnownLimits;
  readonly #lookedUp: LookedUpEndpoints;
  /** The newest view, as it came. */
  #received: WorkloadView;

  constructor(options: DataPathOptions, { svid, view, metrics }: DataPathStart) {
    this.#options = options;
    this.#metrics = metrics;
    this.#knownLimits = new KnownLimits(options);
    metrics.setRateLimits(() => this.#knownLimits.tallies());
    this.#svid = svid;
    this.#lookedUp = new LookedUpEndpoints({
      lookUp: async (host) => {
        await nextTurn(); // by then it is known whom to ask
        return this.#names === undefined ? lookUpByMachine(host) : this.#names.lookUp(host);
      },
      log: options.log,
      changed: () => this.#useLookedUp(),
    });
    this.#received = view;
    const resolved = this.#lookedUp.resolved(view);
    this.#compiled = new WatchedValue(this.#compile(resolved));
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
    this.#recorder = recorder;
    this.#inbound = new InboundSide({
      ...shared,
      terminator: this.#terminator,
      edge: (socket, captured) => this.#gateway?.receive(socket, captured) ?? "not served",
    });
    const owners = capture === undefined ? ownershipRule(options) : undefined;
    if (owners !== undefined) this.#unwatch.push(owners.close);
    this.#outbound = new OutboundSide({
      ...shared,
      svid,
      credentials: proxyCredentials({ user: options.name, password: options.proxyPassword }),
      ownership: owners?.rule,
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
    await this.#lookedUp.settled(FIRST_LOOKUPS_MS);
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

  limitLeft(...asked: Parameters<KnownLimits["left"]>): ReturnType<KnownLimits["left"]> {
    return this.#knownLimits.left(...asked);
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
    this.#lookedUp.close();
    for (const unwatch of this.#unwatch) unwatch();
    await this.#applying;
    const facing = Promise.all([this.#inbound.close(), this.#gateway?.close()]);
    if (this.#gateway !== undefined) await facing; // what it carries goes on by the outbound side
    await Promise.all([facing, this.#outbound.close(), this.#names?.close()]);
    this.#knownLimits.global?.close();
    await this.#trials.ended();
    await lastRecords();
    await Promise.all([this.#userLogs.close(), this.#tracing.close()]);
  }

  #renew(svid: X509Svid): void {
    this.#svid = svid;
    this.#options.log.debug("certificate in use", { serialNumber: svid.serialNumber });
    this.#useCredentials();
    this.#metrics.setCertificateExpiry(svid.notAfter);
  }

  #compile(view: WorkloadView): CompiledView {
    return compileView(view, this.#knownTokens, this.#knownLimits, {
      services: {
        begin: (place, request) => this.#outbound.services.begin(place, request),
        call: (place, request) => this.#outbound.services.call(place, request),
      },
      answered: (answer) => this.#metrics.recordAuthorizerAnswer(answer),
      trials: this.#trials,
    });
  }

  /** The new policy is in force before the next request is judged; listeners follow. */
  #follow(view: WorkloadView): void {
    let compiled: CompiledView;
    try {
      compiled = this.#compile(this.#lookedUp.resolved(view));
    } catch (error) {
      this.#options.log.error("view refused", { problem: describeError(error) });
      return;
    }
    this.#received = view;
    this.#compiled.set(compiled);
    const { inbound, outbound } = view;
    this.#options.log.debug("view in force", {
      ports: inbound.ports.length,
      destinations: outbound.destinations.length,
    });
    this.#useCredentials();
    this.#inbound.enforce(compiled);
    this.#gateway?.enforce(compiled);
    this.#applyLater();
  }

  /** Names that endpoints are given by lead elsewhere. */
  #useLookedUp(): void {
    const resolved = this.#lookedUp.resolved(this.#received);
    this.#compiled.set(withDestinations(this.#compiled.current, resolved));
    this.#outbound.refresh(this.#svid);
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
    await countGlobally(this.#knownLimits, { ...this.#options, view: () => this.view });
    const compiled = this.#compiled.current;
    if (compiled.view.gateway !== undefined) this.#gateway ??= await this.#makeGateway();
    await Promise.all([
      this.#gateway?.apply(compiled),
      this.#inbound.apply(compiled),
      this.#outbound.apply(compiled),
      this.#names?.open(),
    ]);
  }

  /** Few pods are gateways: the others load nothing of one. */
  async #makeGateway(): Promise<GatewaySide> {
    const { GatewaySide: Side } = await import("./gateway-side/gateway-side.ts");
    const gateway = new Side({
      ...this.#options,
      ...this.#outbound.reach,
      compiled: this.#compiled,
      terminator: this.#terminator,
      recorder: this.#recorder,
      listening: this.#options.capture === undefined ? "by itself" : "captured",
    });
    gateway.enforce(this.#compiled.current);
    return gateway;
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
