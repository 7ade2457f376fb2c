/** Two meshes that follow each other, wired as the control plane wires them; with the views of their sidecars. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { controlPlaneIdentity } from "./control-plane-svid.ts";
import { openSeveralClusters, type SeveralClusters } from "./several-clusters.ts";
import { feedWorkloadViews } from "./snapshot-feed.ts";

const root = createThrowawayAuthority();

const mesh = (workload: string) => `
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${workload}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${workload}}}
  template:
    metadata: {labels: {app: ${workload}}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;

interface Running {
  readonly clusters: SeveralClusters;
  readonly told: readonly string[];
  readonly listen: string;
  /** Ports of the endpoints of shop/api, as the sidecars of this mesh know them. */
  endpoints(): readonly number[] | undefined;
  follow(name: string, listen: string): void;
  stop(): Promise<void>;
}

async function start(context: TestContext, cluster: string, yaml: string): Promise<Running> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "hauberk-"));
  const { workloads } = snapshotOf(yaml);
  const resources = new WatchedValue(resourcesOf(yaml));
  const trust = new WatchedValue({ rootsPem: [root.rootPem], taintedAuthorities: [], crlsPem: [] });
  const log = recordedLog();
  const told: string[] = [];
  const clusters = await openSeveralClusters({
    cluster,
    trustDomain: "cluster.local",
    resources,
    svid: new WatchedValue(root.svid(controlPlaneIdentity("cluster.local"))),
    trust,
    dataDirectory,
    announce: (line) => told.push(line),
    clock: systemClock,
    log,
  });
  const running = new WatchedValue({ workloads, resources: [] });
  const tokenKeys = new WatchedValue(new Map());
  const remoteClusters = clusters.services;
  const { snapshots, views } = feedWorkloadViews({
    resources,
    running,
    trust,
    remoteClusters,
    tokenKeys,
  });
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...root.serverCertificate(), clientRootsPem: [root.rootPem] }),
    services: [clusters.serve(snapshots)],
    maxReceiveBytes: 65_536,
    log,
  });
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await clusters.close();
    await server.close();
    await rm(dataDirectory, { recursive: true });
  };
  context.after(stop);
  return {
    clusters,
    told,
    listen: `127.0.0.1:${server.port}`,
    endpoints: () =>
      [...views.current.values()][0]?.outbound.destinations[0]?.endpoints.map(
        ({ address }) => address.port,
      ),
    follow: (name, listen) =>
      resources.set(
        resourcesOf(`${yaml}
---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: ${name}}
spec: {server: "${listen}"}`),
      ),
    stop,
  };
}

test("each uses the other's endpoints beside its own, passes on none of them, and tells how the other does", async (context) => {
  const west = await start(context, "west", mesh("web"));
  const east = await start(context, "east", mesh("api"));
  assert.deepEqual([west.endpoints(), east.endpoints()], [[], [18080]]);
  west.follow("east", east.listen);
  east.follow("west", west.listen);
  await eventually("both to be connected", () =>
    [west, east].every(({ clusters, listen }) =>
      clusters.overview(listen).remoteClusters.some(({ phase }) => phase === "connected"),
    ),
  );
  await eventually("the endpoint", () => west.endpoints()?.length === 1);
  assert.deepEqual(west.endpoints(), [18080]);
  assert.deepEqual(east.endpoints(), [18080], "its own does not come back to it");
  const { remoteClusters, ...own } = west.clusters.overview(west.listen);
  assert.deepEqual(own, { cluster: "west", trustDomain: "cluster.local", listen: west.listen });
  assert.deepEqual(
    remoteClusters.map(({ cluster, services, endpoints }) => ({ cluster, services, endpoints })),
    [{ cluster: "east", services: 1, endpoints: 1 }],
  );
  const metrics = await west.clusters.metricsText();
  assert.match(metrics, /^hauberk_remote_cluster_connected\{cluster="east"\} 1$/m);
  assert.match(metrics, /^hauberk_remote_cluster_endpoints\{cluster="east"\} 1$/m);

  await east.stop();
  await eventually("its end to be told", () =>
    west.told.some((line) => line.startsWith("remote cluster east is away: ")),
  );
  assert.equal(west.told[0], "remote cluster east is connected");
  assert.deepEqual(west.endpoints(), [18080], "the last good is kept");
  assert.match(
    await west.clusters.metricsText(),
    /^hauberk_remote_cluster_connected\{cluster="east"\} 0$/m,
  );
});
