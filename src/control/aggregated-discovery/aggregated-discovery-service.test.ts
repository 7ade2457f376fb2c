import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DiscoveryProxy } from "../../../test/kit/discovery-proxy.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { provenIdentity } from "../../ca/caller.ts";
import type { AuthorityTrust } from "../../ca/rotation.ts";
import { proxylessEndpoints } from "../../envoy/proxyless/proxyless-clusters.ts";
import { parseWorkloadIdentity } from "../../identity/spiffe-id.ts";
import type { Destination, WorkloadView } from "../../policy/workload-view.ts";
import { systemClock } from "../../runtime/clock.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { encodeResource } from "../../wire/envoy/encode-resource.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../wire/secure-grpc-server.ts";
import { openAggregatedDiscovery } from "./aggregated-discovery-service.ts";
import { ProxyPushes } from "./proxy-pushes.ts";
import { ENDPOINTS } from "./resource-types.ts";

const API = "spiffe://cluster.local/ns/production/sa/api";
const OTHER = "spiffe://cluster.local/ns/production/sa/other";
const mesh = createThrowawayAuthority();
const log = recordedLog();
const views = new WatchedValue<ReadonlyMap<string, WorkloadView>>(new Map());
const trust = new WatchedValue<AuthorityTrust>({
  rootsPem: [mesh.rootPem],
  taintedAuthorities: [],
  crlsPem: [],
});
/** Only moved by the test of allowances. */
let now = Date.now();
const discovery = openAggregatedDiscovery({
  views,
  trust,
  pushes: new ProxyPushes(views),
  clock: { now: () => new Date(now) },
  log,
  // Each account has one pod here: `sa/api` is `api-0`.
  authenticate: async (caller) => {
    const { id } = provenIdentity(caller, {
      trustDomain: "cluster.local",
      trust,
      clock: systemClock,
    });
    const { namespace, serviceAccount } = parseWorkloadIdentity(id);
    const pod = { namespace, podName: `${serviceAccount}-0`, podUid: "1", serviceAccount };
    return { id, by: "certificate", pod };
  },
});
let server: SecureGrpcServer;

before(async () => {
  server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [discovery.service],
    maxReceiveBytes: 65_536,
    log,
  });
});
after(async () => {
  discovery.close();
  await server.close();
});

function proxy(id: string | undefined, pod: string): DiscoveryProxy {
  const options = { port: server.port, rootPem: mesh.rootPem, pod };
  return new DiscoveryProxy({ ...options, ...(id !== undefined && { svid: mesh.svid(id) }) });
}

function viewOf(path = "/cart", identity = API): WorkloadView {
  const [, name] = /sa\/(.*)$/.exec(identity) ?? [];
  return sampleView({ name: `production/${name}-0`, identity, rootPem: mesh.rootPem, path });
}

/** Of all streams. */
function stateOfAll(): string {
  const types = discovery.status().flatMap((status) => status.types);
  return types.map(({ type, state, error = "" }) => `${type} ${state} ${error}`.trim()).join(", ");
}

function setViews(...all: readonly WorkloadView[]): void {
  views.set(new Map(all.map((view) => [`${view.workload.namespace}/${view.workload.name}`, view])));
}

test("CA-56: a proxy is told nothing unless it says it is the pod whose proof it shows", async () => {
  setViews(viewOf(), viewOf("/cart", OTHER));
  await proxy(API, "production/other-0").send("clusters").assertEndsWith("PERMISSION_DENIED");
  await proxy(API, "other/api-0").send("clusters").assertEndsWith("PERMISSION_DENIED");
  await proxy(undefined, "production/api-0").send("clusters").assertEndsWith("UNAUTHENTICATED");
});

test("however many come without a proof, the log does not fill", async () => {
  const told = () =>
    log.lines.filter(({ message }) => message === "resources refused: caller not authenticated");
  const before = told().length;
  const strangers = Array.from({ length: 8 }, () => proxy(undefined, "production/api-0"));
  await Promise.all(strangers.map((one) => one.send("clusters").assertEndsWith("UNAUTHENTICATED")));
  assert.ok(told().length > 0);
  assert.ok(told().length - before < strangers.length / 2, `${told().length} lines`);
});

test("a proxy gets what it asks for, then what changes, each after the answer to the one before", async () => {
  setViews(viewOf("/one"));
  const envoy = proxy(API, "production/api-0").send("clusters");
  const clusters = await envoy.take("clusters");
  assert.ok(clusters.names.includes("inbound|8080||"), clusters.names.join());
  envoy.send("listeners");
  const listeners = await envoy.take("listeners");
  assert.ok(listeners.names.length > 0);
  await eventually("both are answered", () => stateOfAll() === "clusters synced, listeners synced");
  envoy.close();
});

test("a control plane that does not know the pod yet says nothing, rather than that there is nothing", async () => {
  setViews();
  const envoy = proxy(API, "production/api-0").send("clusters");
  const first = envoy.take("clusters");
  await eventually("the stream is open", () => discovery.status().length > 0);
  setViews(viewOf());
  assert.ok((await first).names.length > 0);
  envoy.close();
});

test("what a proxy kept from an earlier stream is not sent again", async () => {
  setViews(viewOf());
  const earlier = proxy(API, "production/api-0").send("clusters");
  const { resources } = await earlier.take("clusters");
  earlier.close();
  const held = Object.fromEntries(resources.map(({ name, version }) => [name, version]));
  const envoy = proxy(API, "production/api-0");
  envoy.send("clusters", { initialResourceVersions: { ...held, gone: "1" } });
  const { names, removedResources } = await envoy.take("clusters");
  assert.deepEqual([names, removedResources], [[], ["gone"]]);
  envoy.close();
  const again = proxy(API, "production/api-0");
  again.send("clusters", { initialResourceVersions: held }).send("listeners");
  await again.take("listeners");
  again.close();
});

test("a refusal is seen, and the same is not sent again until something changes", async () => {
  setViews(viewOf());
  const envoy = proxy(API, "production/api-0").send("listeners");
  const { nonce } = await envoy.next();
  envoy.send("listeners", { responseNonce: nonce, errorDetail: { message: "no such filter" } });
  await eventually("it is refused", () => stateOfAll() === "listeners refused no such filter");
  const refusal = log.lines.find(({ message }) => message === "resources refused by the proxy");
  assert.equal(refusal?.fields?.["error"], "no such filter");
  envoy.send("clusters");
  await envoy.take("clusters");
  envoy.close();
});

test("a stream ends when its pod is another account's", async () => {
  setViews(viewOf());
  const envoy = proxy(API, "production/api-0").send("clusters");
  await envoy.take("clusters");
  views.set(new Map([["production/api-0", { ...viewOf("/x", OTHER) }]]));
  await envoy.assertEndsWith("PERMISSION_DENIED");
});

test("without a node there is no answer", async () => {
  const envoy = proxy(API, "production/api-0");
  await envoy.send("clusters", { node: { id: "anything" } }).assertEndsWith("INVALID_ARGUMENT");
});

test("a pod that connects, asks and leaves without end is refused, no other is, and after a moment it is served again", async () => {
  setViews(viewOf(), viewOf("/cart", OTHER));
  const served = async (): Promise<void> => {
    const restless = proxy(OTHER, "production/other-0").send("clusters");
    assert.ok((await restless.take("clusters")).names.length > 0);
    restless.close();
  };
  for (let count = 0; count < 60; count++) await served();
  const refused = proxy(OTHER, "production/other-0").send("clusters");
  await assert.rejects(
    refused.take("clusters"),
    (error: unknown) =>
      error instanceof GrpcStatusError &&
      error.status === "RESOURCE_EXHAUSTED" &&
      error.message.startsWith("HAUBERK_STREAMS_SPENT: pod production/other-0 opens more than"),
  );
  refused.close();
  assert.equal(log.find("resources refused: the pod opens too many streams").length, 1);
  const honest = proxy(API, "production/api-0").send("clusters");
  assert.ok((await honest.take("clusters")).names.length > 0);
  honest.close();
  now += 1_000;
  await served();
});

test("a gRPC program is told what gRPC can read, of its own calls alone, and so is what changes of it", async () => {
  const calling = (port: number): WorkloadView => {
    const view = viewOf();
    const destinations = view.outbound.destinations.map((one): Destination => {
      const endpoints = [
        { workload: "a", address: { address: "127.0.0.1", port }, mutualTls: true },
      ];
      return { ...one, protocol: "http2", endpoints };
    });
    return { ...view, outbound: { ...view.outbound, destinations } };
  };
  const called = "outbound|5432||database.production.svc.cluster.local";
  setViews(calling(20_004));
  const program = proxy(API, "production/api-0").send("clusters", {
    node: {
      id: "sidecar~10.0.0.1~api-0.production~production.svc.cluster.local",
      metadata: { GENERATOR: "grpc" },
    },
  });
  assert.deepEqual((await program.take("clusters")).names, [called, "BlackHoleCluster"]);
  program.send("endpoints", { resourceNamesSubscribe: [called] });
  for (const port of [20_004, 20_005]) {
    setViews(calling(port));
    const { resources } = await program.take("endpoints");
    const [json] = proxylessEndpoints(calling(port).outbound);
    assert.ok(json);
    const { version } = encodeResource(ENDPOINTS.typeUrl, { name: called, json });
    assert.equal(resources[0]?.version, version);
    await eventually("all is answered", () => stateOfAll() === "clusters synced, endpoints synced");
  }
  program.close();
});
