/**
 * Follows one other cluster: comes back after every interruption, and meanwhile keeps what it was told last; but not for
 * ever, since what is gone would be called for ever.
 */
import { formatServer, type RemoteCluster } from "../api/remote-cluster.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { ExportedService } from "../policy/exported-services.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Backoff, backoffDelay } from "../runtime/retry.ts";
import { WakeablePause } from "../runtime/wakeable-pause.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { Remembered } from "./remote-cluster-memory.ts";
import type { RemoteClusterState } from "./remote-cluster-state.ts";
import { remoteServices } from "./remote-services-stream.ts";
import { sameNameProblem } from "./same-cluster-name.ts";

const BACKOFF: Backoff = { baseMs: 200, maxMs: 10_000 };
/** A connection that held so long counts as a success: the next backoff starts anew. */
const SETTLED_MS = 5_000;
/** Short, so that a machine that slept notices. */
const LOOK_MS = 1_000;

export interface RemoteConnectionLimits {
  /** After so long without the other cluster nothing of it is used any more, in milliseconds. */
  readonly keepMs: number;
  /** For the other's first answer, in milliseconds. */
  readonly firstAnswerMs: number;
  /** Of one state of the other cluster. */
  readonly messageBytes: number;
}
export const REMOTE_CONNECTION_LIMITS: RemoteConnectionLimits = {
  keepMs: 10 * 60_000,
  firstAnswerMs: 15_000,
  messageBytes: 4 * 1024 * 1024,
};

export interface RemoteConnectionOptions {
  readonly resource: RemoteCluster;
  /** What this mesh calls itself, and where its identities are. */
  readonly own: { readonly cluster: string; readonly trustDomain: string };
  /** The control plane's own. */
  readonly svid: Watched<X509Svid>;
  readonly trust: Watched<AuthorityTrust>;
  /** What it said last, to an earlier connection or an earlier control plane. */
  readonly remembered?: Remembered | undefined;
  readonly limits?: RemoteConnectionLimits | undefined;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

type ConnectionState = Omit<RemoteClusterState, "services" | "endpoints" | "refusals">;

export class RemoteClusterConnection {
  readonly resource: RemoteCluster;
  /** What it said last; undefined before it said anything, and once that is too old. */
  readonly told: WatchedValue<readonly ExportedService[] | undefined>;
  readonly #options: RemoteConnectionOptions;
  readonly #limits: RemoteConnectionLimits;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #standing: Pick<RemoteClusterState, "phase" | "problem"> = { phase: "connecting" };
  #since: Date;
  #lastHeardAt: Date | undefined;
  #dropped = false;

  constructor(options: RemoteConnectionOptions) {
    const { resource, remembered, clock, limits = REMOTE_CONNECTION_LIMITS } = options;
    this.resource = resource;
    this.told = new WatchedValue<readonly ExportedService[] | undefined>(remembered?.services);
    this.#options = options;
    this.#limits = limits;
    this.#since = clock.now();
    this.#lastHeardAt = remembered?.heardAt;
    this.#dropIfOld();
    const lookMs = Math.min(LOOK_MS, limits.keepMs);
    this.#timer = setInterval(() => this.#dropIfOld(), lookMs).unref();
    this.#stopped = this.#run();
  }

  get state(): ConnectionState {
    const heardAt = this.heardAt?.toISOString();
    return {
      cluster: this.resource.meta.name,
      server: formatServer(this.resource.server),
      ...this.#standing,
      since: this.#since.toISOString(),
      ...(heardAt !== undefined && { heardAt }),
      dropped: this.#dropped,
    };
  }

  /** Until when `told` is known to be true. */
  get heardAt(): Date | undefined {
    return this.#standing.phase === "connected" ? this.#options.clock.now() : this.#lastHeardAt;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#lastHeardAt = this.heardAt;
    this.#stop.abort();
    await this.#stopped;
  }

  async #run(): Promise<void> {
    const { own, random } = this.#options;
    const { signal } = this.#stop;
    if (this.resource.meta.name === own.cluster) return this.#away(sameNameProblem(own.cluster));
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = performance.now();
      const problem = await this.#followOnce();
      if (signal.aborted) return;
      if (problem === undefined) {
        failures = -1;
        continue;
      }
      this.#away(problem);
      if (performance.now() - startedAt >= SETTLED_MS) failures = 0;
      await this.#pause(backoffDelay(failures, BACKOFF, random()));
    }
  }

  /** @returns why it ended; undefined where it is to be opened anew with another certificate, or other roots */
  async #followOnce(): Promise<string | undefined> {
    const renewal = new AbortController();
    const stopWatching = this.#onRenewal(() => renewal.abort());
    const signal = AbortSignal.any([this.#stop.signal, renewal.signal]);
    try {
      await this.#follow(signal);
      return signal.aborted ? undefined : "the other control plane ended the stream";
    } catch (error) {
      return signal.aborted ? undefined : describeError(error);
    } finally {
      stopWatching();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { resource, own, svid, trust } = this.#options;
    const states = remoteServices({
      resource,
      own,
      svid: svid.current,
      rootsPem: trust.current.rootsPem,
      ...this.#limits,
      signal,
    });
    for await (const services of states) {
      if (signal.aborted) return;
      this.#connected(services);
    }
  }

  #onRenewal(listener: () => void): () => void {
    const { svid, trust } = this.#options;
    const roots = (): string => trust.current.rootsPem.join();
    const before = roots();
    const stops = [
      svid.onChange(listener),
      trust.onChange(() => {
        if (roots() !== before) listener();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Another certificate or other roots may be what was missing. */
  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#stop;
    const pause = new WakeablePause();
    const stopWatching = this.#onRenewal(() => pause.wake());
    await pause.last(delayMs, signal).catch(() => undefined); // stopped
    stopWatching();
  }

  #connected(services: readonly ExportedService[]): void {
    const { log, clock } = this.#options;
    const { cluster, server } = this.state;
    if (this.#standing.phase !== "connected") {
      this.#standing = { phase: "connected" };
      this.#since = clock.now();
      log.info(`remote cluster ${cluster} is connected`, { server, services: services.length });
    }
    this.#dropped = false;
    this.told.set(services);
  }

  #away(problem: string): void {
    const { log, clock } = this.#options;
    const { phase, problem: known } = this.#standing;
    this.#lastHeardAt = this.heardAt;
    if (phase !== "away") this.#since = clock.now();
    this.#standing = { phase: "away", problem };
    if (problem === known) return;
    const { cluster, server } = this.state;
    log.warn(`remote cluster ${cluster} is away`, { server, problem });
  }

  #dropIfOld(): void {
    const { clock, log } = this.#options;
    if (this.told.current === undefined) return;
    const heardAt = this.heardAt ?? this.#since;
    const ageMs = clock.now().getTime() - heardAt.getTime();
    if (ageMs <= this.#limits.keepMs) return;
    this.#dropped = true;
    const { name } = this.resource.meta;
    const problem = `it has been away since ${heardAt.toISOString()}`;
    log.error(`the services of remote cluster ${name} are used no more`, { problem });
    this.told.set(undefined);
  }
}
