/** Two control planes' ends of one connection, over real sockets and TLS: east, which is asked, and west, which asks. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import type { Resource } from "../../src/api/resource.ts";
import type { AuthorityTrust } from "../../src/ca/rotation.ts";
import { controlPlaneIdentity } from "../../src/control/control-plane-svid.ts";
import type { RemoteConnectionLimits } from "../../src/control/remote-cluster-connection.ts";
import type { RemoteClusterState } from "../../src/control/remote-cluster-state.ts";
import { RemoteClusters } from "../../src/control/remote-clusters.ts";
import { remoteDiscoveryService } from "../../src/control/remote-discovery-service.ts";
import { untrustedProblem } from "../../src/identity/foreign-chain.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { MeshSnapshot } from "../../src/policy/mesh-snapshot.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../src/wire/secure-grpc-server.ts";
import { eventually } from "./eventually.ts";
import { resourcesOf, snapshotOf } from "./mesh-parts.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";
import { createThrowawayAuthority, type ThrowawayAuthority } from "./throwaway-authority.ts";

export const common: ThrowawayAuthority = createThrowawayAuthority({ trustDomain: "common" });
export const foreign: ThrowawayAuthority = createThrowawayAuthority({ trustDomain: "foreign" });
export const LOCAL = "cluster.local";

const base = await mkdtemp(join(tmpdir(), "hauberk-"));
after(() => rm(base, { recursive: true }));

/** In the files of one mesh. */
export const service = (name: string, trustDomain: string, aliases = ""): string => `
---
trustDomain: ${trustDomain}
trustDomainAliases: [${aliases}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {serviceAccountName: api, containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;

export const trustOf = (...rootsPem: string[]): AuthorityTrust => ({
  rootsPem,
  taintedAuthorities: [],
  crlsPem: [],
});

export interface Served {
  readonly log: RecordedLog;
  readonly snapshots: WatchedValue<MeshSnapshot>;
  readonly trust: WatchedValue<AuthorityTrust>;
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** The other mesh: called east, with the service shop/api. */
export async function serve(
  context: TestContext,
  {
    cluster = "east",
    authority = common,
    trustDomain = LOCAL,
    aliases = "",
    clock = { now: () => new Date() },
  }: {
    cluster?: string;
    authority?: ThrowawayAuthority;
    trustDomain?: string;
    aliases?: string;
    clock?: { now(): Date };
  } = {},
): Promise<Served> {
  const log = recordedLog();
  const snapshots = new WatchedValue(snapshotOf(service("api", trustDomain, aliases)));
  const trust = new WatchedValue(trustOf(authority.rootPem));
  const identity = { ...authority.serverCertificate(), clientRootsPem: [authority.rootPem] };
  let server: SecureGrpcServer | undefined;
  let port = 0;
  const served = {
    log,
    snapshots,
    trust,
    get port() {
      return port;
    },
    async start() {
      server = await startSecureGrpcServer({
        host: "127.0.0.1",
        port,
        identity: new WatchedValue(identity),
        services: [remoteDiscoveryService({ cluster, snapshots, trust, clock, log })],
        maxReceiveBytes: 65_536,
        explainRefusal: (certificate, error) =>
          untrustedProblem(certificate, { error, rootsPem: identity.clientRootsPem }),
        log,
      });
      port = server.port;
    },
    async stop() {
      await server?.close();
      server = undefined;
    },
  };
  await served.start();
  context.after(() => served.stop());
  return served;
}

export interface Following {
  readonly clusters: RemoteClusters;
  readonly log: RecordedLog;
  readonly resources: WatchedValue<readonly Resource[]>;
  readonly svid: WatchedValue<X509Svid>;
  readonly trust: WatchedValue<AuthorityTrust>;
  readonly dataDirectory: string;
  state(): RemoteClusterState;
  endpoints(): readonly number[];
}

export interface FollowOptions {
  readonly cluster?: string;
  readonly authority?: ThrowawayAuthority;
  readonly rootsPem?: readonly string[];
  readonly trustDomain?: string;
  readonly aliases?: string;
  readonly remote?: string;
  readonly limits?: RemoteConnectionLimits;
  readonly clock?: { now(): Date };
  readonly dataDirectory?: string;
}

/** @param options.more further fields, each after a comma */
export const remoteCluster = (
  port: number,
  { name = "east", more = "" }: { readonly name?: string; readonly more?: string } = {},
): string => `
---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: ${name}}
spec: {server: "127.0.0.1:${port}"${more}}
`;

/** This mesh: called west. */
export async function follow(
  context: TestContext,
  port: number,
  options: FollowOptions = {},
): Promise<Following> {
  const { cluster = "west", authority = common, trustDomain = LOCAL, aliases = "" } = options;
  const { remote = remoteCluster(port), clock = { now: () => new Date() } } = options;
  const log = recordedLog();
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(base, "data-")));
  const resources = new WatchedValue(resourcesOf(service("web", trustDomain, aliases) + remote));
  const svid = new WatchedValue(authority.svid(controlPlaneIdentity(trustDomain)));
  const trust = new WatchedValue(trustOf(...(options.rootsPem ?? [authority.rootPem])));
  const clusters = await RemoteClusters.open({
    resources,
    dataDirectory,
    own: { cluster, trustDomain },
    svid,
    trust,
    limits: options.limits,
    clock,
    random: () => 0,
    log,
  });
  context.after(() => clusters.close());
  return {
    clusters,
    log,
    resources,
    svid,
    trust,
    dataDirectory,
    state() {
      const [state] = clusters.states;
      assert.ok(state);
      return state;
    },
    endpoints: () =>
      clusters.services.current.flatMap(({ services }) =>
        services.flatMap(({ ports }) =>
          ports.flatMap((each) => each.endpoints.map(({ address }) => address.port)),
        ),
      ),
  };
}

export const connected = ({ state }: Following): Promise<boolean> =>
  eventually(
    () => JSON.stringify(state()),
    () => state().phase === "connected",
  );
export const away = ({ state }: Following): Promise<boolean> =>
  eventually(
    () => JSON.stringify(state()),
    () => state().phase === "away",
  );
