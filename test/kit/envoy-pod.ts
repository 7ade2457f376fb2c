/** A real Envoy with its agent and a control plane that serves nobody else, for tests that bring a view of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthorityTrust } from "../../src/ca/rotation.ts";
import { openAggregatedDiscovery } from "../../src/control/aggregated-discovery/aggregated-discovery-service.ts";
import { ProxyPushes } from "../../src/control/aggregated-discovery/proxy-pushes.ts";
import type { ProxyRefusal } from "../../src/control/refused-resources.ts";
import { AcceptedTrust } from "../../src/envoy-agent/accepted-trust.ts";
import { ENVOY_ADMIN_SOCKET } from "../../src/envoy-agent/agent-places.ts";
import { type EnvoyAgent, startEnvoyAgent } from "../../src/envoy-agent/envoy-agent.ts";
import { parseWorkloadIdentity } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import { askSidecar } from "../../src/local/pods/ask-sidecar.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { LogLevel } from "../../src/runtime/log.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../src/wire/secure-grpc-server.ts";
import { findOrFetchEnvoy } from "./envoy-program.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { type LogLine, type RecordedLog, recordedLog } from "./recorded-log.ts";
import { PROXY_PASSWORD } from "./sidecar-fixture.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

export interface TestEnvoy {
  readonly agent: EnvoyAgent;
  readonly adminPort: number;
  /** Of the agent and its Envoy. */
  readonly folder: string;
  readonly views: WatchedValue<WorkloadView | undefined>;
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly acceptedTrust: AcceptedTrust;
  readonly log: RecordedLog;
  /** Lines of access logs. */
  readonly lines: readonly string[];
  /** What was decided. */
  readonly entries: readonly AccessLogEntry[];
  /** The first of these that matches; fails when there is none in time. */
  entry(matches: (entry: AccessLogEntry) => boolean): Promise<AccessLogEntry>;
  /** What Envoy refuses now of what it is sent. */
  refusals(): readonly ProxyRefusal[];
  /** A page of Envoy's own administration. */
  envoy(path: string): Promise<string>;
  /** A page of the agent's administration. */
  ask(path: string, method?: "GET" | "POST"): Promise<string>;
  line(message: string): Promise<LogLine>;
  close(): Promise<void>;
}

export interface TestEnvoyOptions {
  readonly view: WorkloadView;
  readonly svid: X509Svid;
  /** What connections may live is a share of it. */
  readonly certificateLifetimeSeconds?: number;
  /** Defaults to the test's own process. */
  readonly applicationProcessIds?: readonly number[];
  /** Stands between the agent and the control plane. Absent: nobody. */
  readonly between?: (controlPlane: TestControlPlane) => Promise<TestControlPlane>;
}

/** The control plane's own certificates are of an authority that no workload is judged by. */
export async function startTestEnvoy(options: TestEnvoyOptions): Promise<TestEnvoy> {
  const { view, certificateLifetimeSeconds = 3_600, applicationProcessIds } = options;
  const { namespace, name } = view.workload;
  const folder = await mkdtemp(join(tmpdir(), "hauberk-envoy-"));
  const views = new WatchedValue<WorkloadView | undefined>(view);
  const svid = new WatchedValue<X509Svid | undefined>(options.svid);
  const logLevel = new WatchedValue<LogLevel>("info");
  const acceptedTrust = new AcceptedTrust();
  const log = recordedLog();
  const lines: string[] = [];
  const entries: AccessLogEntry[] = [];
  const adminPort = await freePort();
  const adminSocket = join(folder, "admin.sock");
  const controlPlane = await startTestControlPlane({ views, of: view, log });
  const served = (await options.between?.(controlPlane)) ?? controlPlane;
  const agent = await startEnvoyAgent({
    namespace,
    name,
    adminPort,
    adminSocket,
    proxyPassword: PROXY_PASSWORD,
    certificateLifetimeSeconds,
    envoy: findOrFetchEnvoy().path,
    concurrency: 1,
    controlPlane: `127.0.0.1:${served.port}`,
    svid,
    views,
    acceptedTrust,
    rootsPem: () => [served.rootPem],
    applicationProcessIds: new WatchedValue(applicationProcessIds ?? [process.pid]),
    accessLog: (line) => lines.push(line),
    decisions: (line) => entries.push(JSON.parse(line)),
    log,
    logLevel,
    clock: systemClock,
  }).catch(async (error: unknown) => {
    await served.close();
    await controlPlane.close();
    throw error;
  });
  return {
    agent,
    adminPort,
    folder,
    views,
    svid,
    acceptedTrust,
    log,
    lines,
    entries,
    refusals: () => controlPlane.refused?.() ?? [],
    entry: (matches) => eventually("an entry", () => entries.find(matches)),
    envoy: (path) => askSidecar(join(folder, ENVOY_ADMIN_SOCKET), { path }),
    ask: (path, method = "GET") => askSidecar(adminSocket, { path, method }),
    line: (message) => eventually(message, () => log.find(message)[0]),
    close: async () => {
      await agent.close();
      await served.close();
      await controlPlane.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface TestControlPlane extends SecureGrpcServer {
  readonly rootPem: string;
  /** What proxies refuse; absent of what stands in between. */
  readonly refused?: () => readonly ProxyRefusal[];
}

export interface TestControlPlaneOptions {
  /** Without one it knows of no pod, and is silent. */
  readonly views: WatchedValue<WorkloadView | undefined>;
  /** Of the only pod there is. */
  readonly of: Pick<WorkloadView, "workload" | "trust">;
  readonly log: RecordedLog;
}

/** Judges nobody: whoever comes is the pod of the view. */
export async function startTestControlPlane({
  views: own,
  of: { workload, trust: mesh },
  log,
}: TestControlPlaneOptions): Promise<TestControlPlane> {
  const authority = createThrowawayAuthority();
  const trust: AuthorityTrust = { rootsPem: [], taintedAuthorities: [], crlsPem: [] };
  const mapOf = (view: WorkloadView | undefined): ReadonlyMap<string, WorkloadView> =>
    new Map(view && [[`${view.workload.namespace}/${view.workload.name}`, view]]);
  const views = new WatchedValue(mapOf(own.current));
  const unwatch = own.onChange((view) => views.set(mapOf(view)));
  const discovery = openAggregatedDiscovery({
    views,
    trust: new WatchedValue(trust),
    pushes: new ProxyPushes(views),
    clock: systemClock,
    log,
    authenticate: () => {
      const { identity: id, name: podName } = workload;
      const { namespace, serviceAccount } = parseWorkloadIdentity(id);
      const pod = { namespace, podName, podUid: "1", serviceAccount };
      return Promise.resolve({ id, by: "certificate", pod });
    },
  });
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({
      ...authority.serverCertificate(),
      clientRootsPem: mesh.rootsPem,
    }),
    services: [discovery.service],
    maxReceiveBytes: 2 * 1024 * 1024,
    log,
  });
  return {
    port: server.port,
    rootPem: authority.rootPem,
    refused: () => discovery.refusals(),
    close: async () => {
      unwatch();
      discovery.close();
      await server.close();
    },
  };
}
