/** Two control planes' ends of one connection, over real sockets and TLS: who is answered, who is believed, what is kept. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import {
  createThrowawayAuthority,
  type ThrowawayAuthority,
} from "../../test/kit/throwaway-authority.ts";
import type { Resource } from "../api/resource.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { untrustedProblem } from "../identity/foreign-chain.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { RemoteDiscovery } from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError, type GrpcStatusName } from "../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { controlPlaneIdentity } from "./control-plane-svid.ts";
import {
  REMOTE_CONNECTION_LIMITS,
  type RemoteConnectionLimits,
} from "./remote-cluster-connection.ts";
import type { RemoteClusterState } from "./remote-cluster-state.ts";
import { RemoteClusters } from "./remote-clusters.ts";
import { remoteDiscoveryService } from "./remote-discovery-service.ts";

const common = createThrowawayAuthority({ trustDomain: "common" });
const foreign = createThrowawayAuthority({ trustDomain: "foreign" });
const LOCAL = "cluster.local";

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(base, { recursive: true }));

const service = (name: string, trustDomain: string, aliases = "") => `
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

const trustOf = (...rootsPem: string[]): AuthorityTrust => ({
  rootsPem,
  taintedAuthorities: [],
  crlsPem: [],
});

interface Served {
  readonly log: RecordedLog;
  readonly snapshots: WatchedValue<MeshSnapshot>;
  readonly trust: WatchedValue<AuthorityTrust>;
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** The other mesh: called east, with the service shop/api. */
async function serve(
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

interface Following {
  readonly clusters: RemoteClusters;
  readonly log: RecordedLog;
  readonly resources: WatchedValue<readonly Resource[]>;
  readonly svid: WatchedValue<X509Svid>;
  readonly trust: WatchedValue<AuthorityTrust>;
  readonly dataDirectory: string;
  state(): RemoteClusterState;
  endpoints(): readonly number[];
}

interface FollowOptions {
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

const remoteCluster = (port: number, { name = "east", more = "" } = {}) => `
---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: ${name}}
spec: {server: "127.0.0.1:${port}"${more}}
`;

/** This mesh: called west. */
async function follow(
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

const connected = ({ state }: Following) =>
  eventually(
    () => JSON.stringify(state()),
    () => state().phase === "connected",
  );
const away = ({ state }: Following) =>
  eventually(
    () => JSON.stringify(state()),
    () => state().phase === "away",
  );

test("CA-54: services are told at once, and again when they change", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  assert.deepEqual(west.clusters.services.current, [
    {
      cluster: "east",
      services: [
        {
          namespace: "shop",
          name: "api",
          identities: ["spiffe://cluster.local/ns/shop/sa/api"],
          ports: [
            {
              port: 80,
              protocol: "http",
              endpoints: [
                {
                  workload: "api-0",
                  address: { address: "127.0.0.1", port: 8080 },
                  mutualTls: false,
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
  const { since, heardAt, ...state } = west.state();
  assert.ok(heardAt !== undefined && heardAt >= since);
  assert.deepEqual(state, {
    cluster: "east",
    server: `127.0.0.1:${east.port}`,
    phase: "connected",
    dropped: false,
    services: 1,
    endpoints: 1,
    refusals: [],
  });
  east.snapshots.set(snapshotOf(service("api", LOCAL), { notReady: ["shop/api-0"] }));
  await eventually("the endpoint to go", () => west.endpoints().length === 0);
  assert.equal(west.state().services, 1);
});

test("a new certificate, and other roots, are shown and used at once, without a word of being away", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  const watchers = () => east.log.find("another cluster watches").length;
  west.svid.set(common.svid(controlPlaneIdentity(LOCAL)));
  await eventually("a second stream", () => watchers() === 2);
  west.trust.set(trustOf(common.rootPem, foreign.rootPem));
  await eventually("a third stream", () => watchers() === 3);
  assert.deepEqual(west.log.find("remote cluster east is away"), []);
});

test("while the other is away what it said last is kept; it comes back by itself", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  await east.stop();
  await away(west);
  assert.deepEqual(west.endpoints(), [8080]);
  const { heardAt, since } = west.state();
  assert.ok(heardAt !== undefined && since >= heardAt);
  await eventually("the reason", () => west.state().problem?.includes("ECONNREFUSED"));
  east.snapshots.set(snapshotOf(service("other", LOCAL)));
  await east.start();
  await connected(west);
  assert.equal(west.clusters.services.current[0]?.services[0]?.name, "other");
  assert.ok(west.log.find("remote cluster east is away").length >= 1);
  assert.equal(west.log.find("remote cluster east is connected").length, 2);
});

test("after too long away nothing of it is used any more, and the log says so as an error", async (context) => {
  const east = await serve(context);
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const west = await follow(context, east.port, { clock });
  await connected(west);
  aheadMs = 601_000; // connected all the while: nothing is too old
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.deepEqual(west.endpoints(), [8080]);
  await east.stop();
  await away(west);
  aheadMs += 590_000;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.deepEqual(west.endpoints(), [8080]);
  aheadMs += 11_000;
  await eventually("the endpoints to be dropped", () => west.endpoints().length === 0);
  assert.equal(west.state().dropped, true);
  assert.deepEqual(
    west.log.find("the services of remote cluster east are used no more").map(({ level }) => level),
    ["error"],
  );
  await east.start();
  await connected(west);
  assert.deepEqual([west.endpoints(), west.state().dropped], [[8080], false]);
});

test("a control plane that starts anew goes on with what the other said last, if that is not too old", async (context) => {
  const east = await serve(context);
  const first = await follow(context, east.port);
  const { dataDirectory } = first;
  await connected(first);
  await first.clusters.close();
  await east.stop();
  const second = await follow(context, east.port, { dataDirectory });
  assert.deepEqual(second.endpoints(), [8080]);
  await second.clusters.close();
  const later = { now: () => new Date(Date.now() + 601_000) };
  const third = await follow(context, east.port, { dataDirectory, clock: later });
  assert.deepEqual([third.endpoints(), third.state().dropped], [[], true]);
});

test("a cluster that is no resource any more is used no more, nor remembered; another address is no reason to forget", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  const local = service("web", LOCAL);
  await east.stop();
  west.resources.set(resourcesOf(local + remoteCluster(1)));
  assert.deepEqual([west.endpoints(), west.state().server], [[8080], "127.0.0.1:1"]);
  west.resources.set(resourcesOf(local));
  assert.deepEqual([west.endpoints(), west.clusters.states], [[], []]);
  await west.clusters.close();
  assert.deepEqual(await readdir(join(west.dataDirectory, "remote-clusters")), []);
});

test("a foreign server: the log says which root its certificate leads to, and which are trusted here", async (context) => {
  const east = await serve(context, { authority: foreign });
  const west = await follow(context, east.port);
  await away(west);
  const [line] = west.log.find("remote cluster east is away");
  const ours = /trusted here is "O=common" \(SHA-256 [0-9a-f]{16}\)/;
  const theirs = /it leads to "O=foreign" \(/;
  assert.match(String(line?.fields["problem"]), ours);
  assert.match(String(line?.fields["problem"]), theirs);
  assert.match(west.state().problem ?? "", theirs);
  assert.deepEqual(west.endpoints(), []);
});

test("a foreign client: the server's log says which root its certificate leads to", async (context) => {
  const east = await serve(context);
  const rootsPem = [common.rootPem]; // it would believe the server
  const west = await follow(context, east.port, { authority: foreign, rootsPem });
  await away(west);
  const [line] = east.log.find("client certificate refused");
  const reason = String(line?.fields["reason"]);
  assert.match(reason, /it leads to "O=foreign" .*trusted here is "O=common" \(SHA-256/);
  assert.deepEqual(east.log.find("another cluster watches"), []);
  assert.match(west.state().problem ?? "", /perhaps it does not trust the root of this mesh/);
  assert.deepEqual(west.endpoints(), []);
});

test("two meshes of one name refuse each other in words, whoever asks", async (context) => {
  const words = /both meshes call themselves Kubernetes: give one of them --cluster/;
  const east = await serve(context, { cluster: "Kubernetes" });
  const own = { cluster: "Kubernetes" };
  const remote = remoteCluster(east.port, { name: "Kubernetes" });
  const named = await follow(context, east.port, { ...own, remote });
  await away(named);
  assert.match(named.state().problem ?? "", words);
  assert.deepEqual(east.log.lines, [], "nobody is asked who cannot be another");
  const other = await follow(context, east.port, own);
  await away(other);
  assert.match(other.state().problem ?? "", words);
  assert.match(String(east.log.find("services refused")[0]?.fields["reason"]), words);
});

test("a server that is another cluster than was asked for is not believed", async (context) => {
  const north = await serve(context, { cluster: "north" });
  const west = await follow(context, north.port);
  await away(west);
  assert.match(west.state().problem ?? "", /calls itself "north"; expected "east"/);
  assert.deepEqual(west.endpoints(), []);
});

test("CA-55: two trust domains: each must have the other's as an alias, and is refused in words without", async (context) => {
  const domains = { trustDomain: "west.example" };
  const refusing = await serve(context, { trustDomain: "east.example" });
  const more = ", trustDomain: east.example";
  const remote = remoteCluster(refusing.port, { more });
  const refused = await follow(context, 0, { ...domains, aliases: "east.example", remote });
  await away(refused);
  assert.match(
    refused.state().problem ?? "",
    /does not take spiffe:\/\/west.example\/.*its log says/,
  );
  const [line] = refusing.log.find("services refused");
  assert.match(
    String(line?.fields["reason"]),
    /west.example.* is not one of spiffe:\/\/east.example/,
  );

  const east = await serve(context, { trustDomain: "east.example", aliases: "west.example" });
  const there = remoteCluster(east.port, { more });
  const unaliased = await follow(context, 0, { ...domains, remote: there });
  await connected(unaliased);
  assert.deepEqual(unaliased.endpoints(), []);
  assert.match(unaliased.state().refusals.join(), /"east.example" is not one of this mesh/);
  assert.equal(unaliased.log.find("not all that remote cluster east says is taken over").length, 1);
  unaliased.resources.set(resourcesOf(service("web", "west.example", "east.example") + there));
  assert.deepEqual(unaliased.endpoints(), [8080]);

  const mistaken = await follow(context, east.port, { ...domains, aliases: "east.example" });
  await away(mistaken);
  assert.match(
    mistaken.state().problem ?? "",
    /trust domain is "east.example"; expected "west.example"/,
  );
});

test("an alias that is taken away ends the stream", async (context) => {
  const east = await serve(context, { trustDomain: "east.example", aliases: "west.example" });
  const remote = remoteCluster(east.port, { more: ", trustDomain: east.example" });
  const west = await follow(context, 0, {
    trustDomain: "west.example",
    aliases: "east.example",
    remote,
  });
  await connected(west);
  east.snapshots.set(snapshotOf(service("api", "east.example")));
  await away(west);
  assert.match(west.state().problem ?? "", /does not take/);
});

test("more than a message may have is not taken", async (context) => {
  const east = await serve(context);
  const limits = { ...REMOTE_CONNECTION_LIMITS, messageBytes: 100 };
  const west = await follow(context, east.port, { limits });
  await away(west);
  assert.match(west.state().problem ?? "", /larger than max/);
});

const ODD_SERVERS = [
  ["speaks no TLS", "HTTP/1.1 400 no\r\n\r\n", /does not speak TLS as expected: ERR_SSL_/],
  ["says nothing at all", undefined, /no answer within 0.3 s/],
] as const;
for (const [title, words, problem] of ODD_SERVERS)
  test(`a server that ${title} is away, and that is told once`, async (context) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      if (words !== undefined) socket.end(words);
    }).listen(0, "127.0.0.1");
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const limits = { ...REMOTE_CONNECTION_LIMITS, firstAnswerMs: 300 };
    const west = await follow(context, address.port, { limits });
    await away(west);
    assert.match(west.state().problem ?? "", problem);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.ok(sockets.size > 2, "it is tried again");
    assert.equal(west.log.find("remote cluster east is away").length, 1);
  });

/** What somebody with this certificate gets. */
async function ask(
  port: number,
  svid: X509Svid | undefined,
  cluster = "west",
): Promise<GrpcStatusName | "answered"> {
  const client = new GrpcClient({
    address: `127.0.0.1:${port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [common.rootPem],
    maxReceiveBytes: 1_048_576,
    ...(svid && {
      certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    }),
  });
  const stop = new AbortController();
  try {
    const { watchServices } = RemoteDiscovery.method;
    const { signal } = stop;
    for await (const _ of client.answers(watchServices, { cluster }, { signal })) return "answered";
    return "OK";
  } catch (error) {
    assert.ok(error instanceof GrpcStatusError, String(error));
    return error.status;
  } finally {
    stop.abort();
    client.close();
  }
}

const istiod = controlPlaneIdentity(LOCAL);
const ASKERS = [
  ["another control plane", () => common.svid(istiod), "answered"],
  ["nobody", () => undefined, "PERMISSION_DENIED"],
  ["a workload", () => common.svid("spiffe://cluster.local/ns/shop/sa/api"), "PERMISSION_DENIED"],
  [
    "a workload of the control plane's namespace",
    () => common.svid("spiffe://cluster.local/ns/istio-system/sa/default"),
    "PERMISSION_DENIED",
  ],
  [
    "a control plane of a foreign trust domain",
    () => common.svid(controlPlaneIdentity("elsewhere")),
    "PERMISSION_DENIED",
  ],
  ["a control plane under a foreign root", () => foreign.svid(istiod), "UNAVAILABLE"],
] as const;
for (const [who, svid, expected] of ASKERS)
  test(`${who} is ${expected === "answered" ? "" : "not "}answered`, async (context) => {
    const east = await serve(context);
    assert.equal(await ask(east.port, svid()), expected);
    const warned = east.log.lines.filter(({ level }) => level === "warn");
    assert.equal(warned.length, expected === "answered" ? 0 : 1);
  });

test("a name that is none is refused", async (context) => {
  const east = await serve(context);
  assert.equal(await ask(east.port, common.svid(istiod), "a/b"), "INVALID_ARGUMENT");
  assert.equal(await ask(east.port, common.svid(istiod), "east"), "FAILED_PRECONDITION");
});

test("a stream ends with the certificate that opened it, and when its root is trusted no more", async (context) => {
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const east = await serve(context, { clock });
  const west = await follow(context, east.port);
  await connected(west);
  east.trust.set(trustOf(foreign.rootPem));
  await away(west);
  assert.match(west.state().problem ?? "", /the client certificate is not trusted any more/);
  east.trust.set(trustOf(foreign.rootPem, common.rootPem));
  await connected(west);
  aheadMs = 2 * 86_400_000;
  const late = await follow(context, east.port, { cluster: "late" });
  await away(late);
  assert.match(late.state().problem ?? "", /the client certificate expired/);
});
