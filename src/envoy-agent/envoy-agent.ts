/**
 * The agent beside an Envoy, assembled: it owns the workload's key and identity, hands Envoy its secrets, passes its
 * discovery on, and answers for it. Envoy is started once there is a certificate and a view, and serves once it was told
 * all of its configuration.
 */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { SidecarState } from "../proxy/admin-server.ts";
import { nodeIdOf } from "../proxy/node-id.ts";
import { PinnedProcesses } from "../proxy/pinned-processes.ts";
import { openSidecarAdmin, type SidecarAdmin } from "../proxy/sidecar-admin.ts";
import { canTellOwners, WorkloadOwnership } from "../proxy/workload-ownership.ts";
import type { Clock } from "../runtime/clock.ts";
import { firstValue } from "../runtime/first-value.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log, LogLevel } from "../runtime/log.ts";
import type { Watched, WatchedValue } from "../runtime/watched.ts";
import { startUnixGrpcServer } from "../wire/unix-grpc-server.ts";
import type { AcceptedTrust } from "./accepted-trust.ts";
import { agentAnswers, STATS_CONTENT_TYPE } from "./agent-answers.ts";
import { openAgentNames } from "./agent-names.ts";
import {
  AGENT_SOCKET,
  BOOTSTRAP_FILE,
  CALLS_FOLDER,
  ENVOY_ADMIN_SOCKET,
  PROXY_USERS_FILE,
} from "./agent-places.ts";
import { connectionAgeSeconds } from "./connection-age.ts";
import { openDecisionLog } from "./decision-log.ts";
import { endEarlierEnvoy } from "./earlier-envoy.ts";
import { EnvoyAdmin } from "./envoy-admin.ts";
import { envoyBootstrap } from "./envoy-bootstrap.ts";
import { foreignCalls } from "./foreign-calls.ts";
import { forwardedDiscovery } from "./forwarded-discovery.ts";
import { forwardedRateLimits } from "./forwarded-rate-limits.ts";
import { ipv6OfMachine } from "./ipv6-of-machine.ts";
import { KeptEnvoy } from "./kept-envoy.ts";
import { OwnedCalls } from "./owned-calls.ts";
import { proxyUsers } from "./proxy-users.ts";
import { secretService } from "./secret-service.ts";
import { systemRootsFile } from "./system-roots-file.ts";
import { tellUncounted } from "./tell-uncounted.ts";

export interface EnvoyAgentOptions {
  readonly namespace: string;
  /** Pod name: also the user name of the HTTP proxy. */
  readonly name: string;
  /** What the mesh calls itself. */
  readonly cluster?: string;
  readonly adminPort: number;
  /** Path of the Unix socket of the administration; everything else of the agent is in the same folder. */
  readonly adminSocket: string;
  readonly proxyPassword: string;
  /** Present where the kernel leads the pod's connections to Envoy. */
  readonly capture?: CaptureSettings;
  readonly certificateLifetimeSeconds: number;
  /** Path of Envoy's program. */
  readonly envoy: string;
  /** Envoy's threads; 0: one for each core. */
  readonly concurrency: number;
  /** `host:port` */
  readonly controlPlane: string;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  /** Learns which trust Envoy has taken over. */
  readonly acceptedTrust: AcceptedTrust;
  /** PEM of the roots that the control plane's certificate must chain to. */
  readonly rootsPem: () => readonly string[];
  /** Hears of a certificate that the control plane does not take. */
  readonly onRefused?: (svid: X509Svid) => void;
  /** Hears why Envoy ended by itself, each time it is started again. */
  readonly onRestart?: (problem: string) => void;
  /** The first process of each container; they and all they start are the pod's workload. */
  readonly applicationProcessIds: Watched<readonly number[]>;
  /** Takes lines of access logs that users configure. */
  readonly accessLog: (line: string) => void;
  /** Takes lines of the pod's own access log: what was decided, and why; absent: nobody wants them. */
  readonly decisions?: (line: string) => void;
  readonly log: Log;
  readonly logLevel: WatchedValue<LogLevel>;
  readonly clock: Clock;
}

export interface EnvoyAgent {
  /** Rejects when Envoy ends again and again though nobody asked it to, or does not come up any more. */
  readonly failed: Promise<never>;
  /** Takes no more, lets what is under way end within 5 seconds, then ends Envoy. */
  close(): Promise<void>;
}

/** Of Envoy's requests: it names all that it has when it comes back. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;
const MAX_SESSION_MEGABYTES = 256;
const MAX_CONNECTIONS = 16;
/** One for each secret: a gateway has one for each host. */
const MAX_STREAMS_PER_CONNECTION = 4_096;

/**
 * Resolves once Envoy serves.
 *
 * @throws ListenError, EnvoyEndedError
 */
export async function startEnvoyAgent(options: EnvoyAgentOptions): Promise<EnvoyAgent> {
  const agent = new Agent(options);
  try {
    return await agent.open();
  } catch (error) {
    await agent.end();
    throw error;
  }
}

interface Closable {
  close(): Promise<void>;
}

class Agent {
  readonly #options: EnvoyAgentOptions;
  readonly #folder: string;
  readonly #admin: EnvoyAdmin;
  /** In the order in which they were opened. */
  readonly #opened: Closable[] = [];
  #state: SidecarState = "starting";
  #envoy: KeptEnvoy | undefined;
  #calls: OwnedCalls | undefined;
  #draining: Promise<void> | undefined;

  constructor(options: EnvoyAgentOptions) {
    this.#options = options;
    this.#folder = dirname(options.adminSocket);
    this.#admin = new EnvoyAdmin(join(this.#folder, ENVOY_ADMIN_SOCKET));
  }

  async open(): Promise<EnvoyAgent> {
    const { log, svid, views } = this.#options;
    if (await endEarlierEnvoy(this.#folder))
      log.warn("an Envoy that an earlier agent left was ended");
    this.#opened.push(await this.#openAdmin());
    await firstValue(svid);
    const view = await firstValue(views);
    const untell = tellUncounted(views, log);
    this.#opened.push({ close: async () => untell() });
    await this.#writeFiles(view, await this.#openDecisions());
    this.#opened.push(await openAgentNames(this.#options, view));
    this.#opened.push(await this.#serveEnvoy());
    this.#envoy = await this.#startEnvoy();
    await this.#openCalls(view);
    this.#state = "ready";
    return { failed: this.#envoy.failed, close: () => this.end() };
  }

  /** Whoever asks again waits for the same end. */
  async end(): Promise<void> {
    await this.#drain();
    await this.#envoy?.stop();
    for (const one of this.#opened.splice(0).reverse()) await one.close();
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#drainOnce();
    return this.#draining;
  }

  async #drainOnce(): Promise<void> {
    if (this.#state === "ready") {
      this.#state = "draining";
      const closed = this.#calls?.close();
      await this.#envoy?.drain();
      this.#calls?.cut(); // what is left carries nothing, or has had its time
      await closed;
    }
    this.#state = "draining";
  }

  #openAdmin(): Promise<SidecarAdmin> {
    const admin = this.#admin;
    const state = (): SidecarState => this.#state;
    const drain = (): Promise<void> => this.#drain();
    return openSidecarAdmin({
      ...this.#options,
      state,
      metrics: {
        contentType: STATS_CONTENT_TYPE,
        exposition: () => admin.ask({ path: "/stats/prometheus" }),
      },
      answer: agentAnswers({ ...this.#options, admin, state, drain }),
    });
  }

  /** @returns whether Envoy is to tell what it decides */
  async #openDecisions(): Promise<boolean> {
    const { decisions: write } = this.#options;
    const pipe =
      write && (await openDecisionLog({ ...this.#options, folder: this.#folder, write }));
    if (pipe !== undefined) this.#opened.push(pipe);
    return pipe !== undefined;
  }

  async #writeFiles({ workload }: WorkloadView, decisionLog: boolean): Promise<void> {
    const { namespace, name, cluster, proxyPassword, certificateLifetimeSeconds, capture } =
      this.#options;
    const calls = join(this.#folder, CALLS_FOLDER);
    await rm(calls, { recursive: true, force: true });
    await mkdir(calls, { mode: 0o700 });
    await this.#write(PROXY_USERS_FILE, proxyUsers(name, proxyPassword));
    const node = {
      id: nodeIdOf(this.#options),
      cluster: `${workload.owner}.${namespace}`,
      meshCluster: cluster,
      namespace,
      name,
    };
    const ageSeconds = connectionAgeSeconds(certificateLifetimeSeconds);
    const bootstrap = envoyBootstrap({
      node,
      capture,
      connectionAgeSeconds: ageSeconds,
      decisionLog,
      ipv6: ipv6OfMachine(),
    });
    await this.#write(BOOTSTRAP_FILE, JSON.stringify(bootstrap));
  }

  async #write(file: string, content: string): Promise<void> {
    const path = join(this.#folder, file);
    await writeFile(path, content, { mode: 0o600 });
    await chmod(path, 0o600);
  }

  #serveEnvoy(): Promise<Closable> {
    const limits = forwardedRateLimits(this.#options);
    this.#opened.push({ close: async () => limits.close() });
    return startUnixGrpcServer({
      path: join(this.#folder, AGENT_SOCKET),
      access: "owner",
      services: [
        secretService({
          ...this.#options,
          accepted: this.#options.acceptedTrust,
          systemRoots: systemRootsFile(),
        }),
        ...forwardedDiscovery(this.#options),
        limits.service,
      ],
      maxReceiveBytes: MAX_RECEIVE_BYTES,
      maxSessionMegabytes: MAX_SESSION_MEGABYTES,
      maxConnections: MAX_CONNECTIONS,
      maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
      log: this.#options.log,
    });
  }

  #startEnvoy(): Promise<KeptEnvoy> {
    const { envoy: program, accessLog: output } = this.#options;
    return KeptEnvoy.start({
      ...this.#options,
      program,
      folder: this.#folder,
      admin: this.#admin,
      output,
      onState: (state) => {
        if (this.#state !== "draining") this.#state = state;
      },
    });
  }

  /** Only where all pods share a loopback: elsewhere the kernel tells whose a connection is. */
  async #openCalls(first: WorkloadView): Promise<void> {
    const { capture, views, applicationProcessIds, decisions, clock, log } = this.#options;
    if (capture !== undefined) return;
    const processes = new PinnedProcesses(applicationProcessIds);
    const ownership = canTellOwners() ? new WorkloadOwnership({ processes, clock }) : undefined;
    const onForeign = decisions && foreignCalls(decisions, clock);
    const calls = new OwnedCalls({ folder: this.#folder, ownership, onForeign, log, clock });
    this.#calls = calls;
    const apply = (view: WorkloadView | undefined): void => {
      if (view === undefined) return;
      calls
        .apply(view)
        .catch((error: unknown) =>
          log.error("listener not opened", { problem: describeError(error) }),
        );
    };
    const unwatch = views.onChange(apply);
    this.#opened.push({
      close: async () => {
        unwatch();
        await calls.close();
        ownership?.close();
        processes.close();
      },
    });
    await calls.apply(views.current ?? first);
  }
}
