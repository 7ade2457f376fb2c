/** Sidecars for tests: real sockets, real certificates, a view made by hand, everything written down in memory. */
import type { Server } from "node:net";
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import { DEFAULT_PROXY_HEADERS, type ProxyHeaders } from "../../src/api/proxy-headers.ts";
import type { PortProtocol } from "../../src/api/service.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { AppliedRateLimit } from "../../src/policy/applied-rate-limits.ts";
import type { MutualTlsMode } from "../../src/policy/decision.ts";
import type {
  AppliedPolicy,
  AppliedTokenRule,
  Destination,
  InboundPort,
  WorkloadView,
} from "../../src/policy/workload-view.ts";
import { type Sidecar, startSidecar } from "../../src/proxy/sidecar.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type LogLevel, silentLog } from "../../src/runtime/log.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import type { LineSink } from "../../src/telemetry/gathered-lines.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { type LogLine, type RecordedLog, recordedLog } from "./recorded-log.ts";

export const LOOPBACK = "127.0.0.1";
export const PROXY_PASSWORD = "correct horse";

export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  return address.port;
}

/** `spiffe://cluster.local/ns/production/sa/NAME` */
export function idOf(serviceAccount: string): string {
  return `spiffe://cluster.local/ns/production/sa/${serviceAccount}`;
}

export function policy(
  action: AppliedPolicy["action"],
  name: string,
  ...rules: readonly Partial<AuthorizationRule>[]
): AppliedPolicy {
  return {
    ref: { kind: "AuthorizationPolicy", namespace: "production", name },
    source: { file: "policies.yaml", line: 1 },
    action,
    rules: rules.map((rule, index) => ({ line: index + 5, from: [], to: [], when: [], ...rule })),
  };
}

export function inboundPort(options: {
  readonly listen: number;
  readonly application: number;
  readonly protocol?: PortProtocol;
  readonly mode?: MutualTlsMode;
}): InboundPort {
  const { listen, application, protocol = "http", mode = "STRICT" } = options;
  return {
    containerPort: 8080,
    protocol,
    mutualTls: { mode, origin: "default" },
    listen: { address: LOOPBACK, port: listen },
    application: { address: LOOPBACK, port: application },
  };
}

/** The service `NAME` of `production`, with one endpoint. */
export function destination(options: {
  readonly name: string;
  readonly port: number;
  readonly listen?: number;
  readonly protocol?: PortProtocol;
  readonly identities?: readonly string[];
  readonly mutualTls?: boolean;
}): Destination {
  const { name, port, listen, protocol = "http", identities = [idOf(name)], mutualTls } = options;
  return {
    serviceNamespace: "production",
    serviceName: name,
    host: `${name}.production.svc.cluster.local`,
    servicePort: 8080,
    protocol,
    ...(listen === undefined ? {} : { listen: { address: LOOPBACK, port: listen } }),
    identities: identities.map(parseSpiffeId),
    serverName: `outbound_.8080_._.${name}.production.svc.cluster.local`,
    endpoints: [
      {
        workload: `${name}-0`,
        address: { address: LOOPBACK, port },
        mutualTls: mutualTls ?? true,
      },
    ],
  };
}

export interface ViewOptions {
  readonly name?: string;
  readonly rootsPem: readonly string[];
  readonly ports?: readonly InboundPort[];
  readonly policies?: readonly AppliedPolicy[];
  readonly destinations?: readonly Destination[];
  readonly httpProxy?: number;
  readonly trustDomainAliases?: readonly string[];
  readonly minimumTlsVersion?: "TLSv1.2" | "TLSv1.3";
  readonly proxyHeaders?: Partial<ProxyHeaders>;
  readonly tokenRules?: readonly AppliedTokenRule[];
  readonly rateLimits?: readonly AppliedRateLimit[];
}

export function workloadView(options: ViewOptions): WorkloadView {
  const { name = "api", rootsPem, ports = [], policies = [], destinations = [] } = options;
  const { httpProxy, trustDomainAliases = [], proxyHeaders, tokenRules } = options;
  return {
    workload: {
      namespace: "production",
      name: `${name}-0`,
      owner: name,
      labels: { app: name },
      serviceAccount: name,
      identity: parseSpiffeId(idOf(name)),
    },
    trust: {
      trustDomain: "cluster.local",
      trustDomainAliases,
      rootsPem,
      minimumTlsVersion: options.minimumTlsVersion ?? "TLSv1.2",
    },
    inbound: {
      ports,
      authorization: {
        custom: policies.filter(({ action }) => action === "CUSTOM"),
        audit: policies.filter(({ action }) => action === "AUDIT"),
        deny: policies.filter(({ action }) => action === "DENY"),
        allow: policies.filter(({ action }) => action === "ALLOW"),
      },
      pathNormalization: "DEFAULT",
      ...(tokenRules && { tokenRules }),
      ...(options.rateLimits && { rateLimits: options.rateLimits }),
    },
    outbound: {
      ...(httpProxy === undefined ? {} : { httpProxy: { address: LOOPBACK, port: httpProxy } }),
      destinations,
    },
    ...(proxyHeaders && { proxyHeaders: { ...DEFAULT_PROXY_HEADERS, ...proxyHeaders } }),
  };
}

export interface TestSidecar {
  readonly sidecar: Sidecar;
  readonly adminPort: number;
  readonly views: WatchedValue<WorkloadView | undefined>;
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly applicationProcessIds: WatchedValue<readonly number[]>;
  readonly entries: readonly AccessLogEntry[];
  readonly log: RecordedLog;
  /** The first access log entry that matches; fails when there is none in time. */
  entry(matches?: (entry: AccessLogEntry) => boolean): Promise<AccessLogEntry>;
  line(message: string): Promise<LogLine>;
}

export async function startTestSidecar(options: {
  readonly view: WorkloadView;
  readonly svid: X509Svid;
  /** Defaults to the test's own process. */
  readonly applicationProcessIds?: readonly number[];
  readonly adminPort?: number;
  readonly adminSocket?: string;
  readonly logLevel?: WatchedValue<LogLevel>;
  /** "nothing": what is written is thrown away, so that memory can be measured. */
  readonly keep?: "everything" | "nothing";
  readonly logStreams?: ReadonlyMap<string, LineSink>;
}): Promise<TestSidecar> {
  const views = new WatchedValue<WorkloadView | undefined>(options.view);
  const svid = new WatchedValue<X509Svid | undefined>(options.svid);
  const entries: AccessLogEntry[] = [];
  const { keep = "everything" } = options;
  const log = recordedLog();
  const applicationProcessIds = new WatchedValue(options.applicationProcessIds ?? [process.pid]);
  const { adminPort = await freePort() } = options;
  const sidecar = await startSidecar({
    namespace: "production",
    name: options.view.workload.name,
    adminPort,
    ...(options.adminSocket !== undefined && { adminSocket: options.adminSocket }),
    ...(options.logLevel && { logLevel: options.logLevel }),
    proxyPassword: PROXY_PASSWORD,
    svid,
    views,
    applicationProcessIds,
    accessLog: (line) => keep === "everything" && entries.push(JSON.parse(String(line))),
    ...(options.logStreams && { logStreams: options.logStreams }),
    log: keep === "everything" ? log : silentLog,
    clock: systemClock,
    random: () => 0,
  });
  return {
    sidecar,
    adminPort,
    views,
    svid,
    applicationProcessIds,
    entries,
    log,
    entry: (matches = () => true) => eventually("an access log entry", () => entries.find(matches)),
    line: (message) => eventually(message, () => log.find(message)[0]),
  };
}
