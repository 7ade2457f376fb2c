import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import {
  ViewDiscovery,
  type WatchViewsResponse,
} from "../wire/gen/hauberk/discovery/v1/workload_view_pb.ts";
import { type ClientStream, GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError, type GrpcStatusName } from "../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { unpackView } from "../wire/workload-view-message.ts";
import { ProxyPushes, type PushedStream } from "./aggregated-discovery/proxy-pushes.ts";
import { discoveryService } from "./discovery-service.ts";
import { encodeView } from "./encoded-view.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";

const API = "spiffe://cluster.local/ns/production/sa/api";
const DATABASE = "spiffe://cluster.local/ns/production/sa/database";
const mesh = createThrowawayAuthority();
const log = recordedLog();
const views = new WatchedValue<ReadonlyMap<string, WorkloadView>>(new Map());
const trust = new WatchedValue<AuthorityTrust>({
  rootsPem: [mesh.rootPem],
  taintedAuthorities: [],
  crlsPem: [],
});
/** By serial number: as the issue log has it. */
const holders = new Map<string, CertificateHolder>();
/** Uids of pods that are gone. */
const ended = new Set<string>();
const pushes = new ProxyPushes(views);
/** Pods in which an Envoy judges. */
const ofEnvoys = new Set<string>();
const { service, status } = discoveryService({
  views,
  trustDomain: "cluster.local",
  trust,
  holderOf: (serial) => holders.get(serial),
  isLivePod: ({ uid }) => !ended.has(uid),
  pushes,
  isJudgedByEnvoy: (pod) => ofEnvoys.has(pod),
  clock: systemClock,
  log,
});
let server: SecureGrpcServer;

function apiView(path = "/cart"): WorkloadView {
  return sampleView({ name: "production/api-0", identity: API, rootPem: mesh.rootPem, path });
}

function setViews(api: WorkloadView | undefined): void {
  const database = sampleView({
    name: "production/database-0",
    identity: DATABASE,
    rootPem: mesh.rootPem,
  });
  const all: [string, WorkloadView][] = [["production/database-0", database]];
  if (api !== undefined) all.push(["production/api-0", api]);
  views.set(new Map(all));
}

before(async () => {
  server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [service],
    maxReceiveBytes: 65_536,
    log,
  });
});
after(() => server.close());

type Method = typeof ViewDiscovery.method.watchViews;
type Request = Parameters<ReturnType<GrpcClient["stream"]>["send"]>[0];

/** Of the pod of its certificate, with the certificate's own number as uid. */
function holderOf({ id, serialNumber }: X509Svid): CertificateHolder {
  const [, namespace = "", , serviceAccount = ""] = new URL(id).pathname.split("/").slice(1);
  const pod = { namespace, podName: `${serviceAccount}-0`, podUid: serialNumber, serviceAccount };
  return { identity: id, pod };
}

/** The same certificate, as the issue log has it. */
function issued(svid: X509Svid): X509Svid {
  holders.set(svid.serialNumber, holderOf(svid));
  return svid;
}

/** A client that speaks the protocol by hand. */
class HandClient {
  readonly #client: GrpcClient;
  readonly #stream: ClientStream<Request, WatchViewsResponse>;
  readonly #responses: AsyncIterator<WatchViewsResponse>;

  constructor(svid: X509Svid | undefined) {
    this.#client = new GrpcClient({
      address: `127.0.0.1:${server.port}`,
      serverName: CONTROL_PLANE_NAME,
      rootsPem: [mesh.rootPem],
      maxReceiveBytes: 1_048_576,
      ...(svid === undefined
        ? {}
        : {
            certificate: {
              chainPem: svid.certificateChainPem,
              privateKeyPem: svid.privateKeyPem,
            },
          }),
    });
    const method: Method = ViewDiscovery.method.watchViews;
    this.#stream = this.#client.stream(method);
    this.#responses = this.#stream.responses[Symbol.asyncIterator]();
  }
  send(request: Record<string, unknown>): this {
    this.#stream.send(request);
    return this;
  }
  subscribe(...names: string[]): this {
    return this.send({ subscribe: names });
  }
  async next(): Promise<WatchViewsResponse> {
    const { done, value } = await this.#responses.next();
    assert.ok(done !== true, "the stream ended");
    return value;
  }
  async assertEndsWith(expected: GrpcStatusName): Promise<void> {
    await assert.rejects(this.next(), (error) => {
      assert.ok(error instanceof GrpcStatusError, String(error));
      assert.equal(error.status, expected, error.message);
      return true;
    });
    this.close();
  }
  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

function pathIn(response: WatchViewsResponse): string {
  const json = unpackView(response.views[0]?.view).json;
  const [, path = ""] = /"paths":\["([^"]+)"\]/.exec(json) ?? [];
  return path;
}

test("CA-56: a sidecar gets its own view, and changes of it only", async () => {
  setViews(apiView("/one"));
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  const first = await client.next();
  assert.equal(pathIn(first), "/one");
  assert.equal(first.views[0]?.version, encodeView(apiView("/one")).version);
  client.send({ responseNonce: first.nonce });
  await eventually("the ack", () => status().find(({ versionAcked }) => versionAcked));
  setViews(apiView("/one"));
  setViews(apiView("/two"));
  assert.equal(pathIn(await client.next()), "/two");
  client.close();
  await eventually("the stream's end", () => status().length === 0);
});

test("changes during an unanswered update are folded into the next", async () => {
  setViews(apiView("/a"));
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  const first = await client.next();
  for (const path of ["/b", "/c", "/d"]) setViews(apiView(path));
  client.send({ responseNonce: first.nonce });
  const second = await client.next();
  assert.equal(pathIn(second), "/d");
  client.close();
});

test("CA-56: another identity's view is refused, and logged with both names", async () => {
  setViews(apiView());
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/database-0");
  await client.assertEndsWith("PERMISSION_DENIED");
  const { fields } = log.find("view refused: it is another").at(-1) ?? assert.fail();
  assert.equal(fields["caller"], API);
  assert.equal(fields["viewIdentity"], DATABASE);
});

test("CA-56: a view that changes hands is not sent to the old identity", async () => {
  setViews(apiView());
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  await client.next();
  setViews(sampleView({ name: "production/api-0", identity: DATABASE, rootPem: mesh.rootPem }));
  await client.assertEndsWith("PERMISSION_DENIED");
});

test("a view that does not exist is said to be so, and sent once it does", async () => {
  setViews(undefined);
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  const first = await client.next();
  assert.deepEqual(first.removed, ["production/api-0"]);
  client.send({ responseNonce: first.nonce });
  setViews(apiView());
  const second = await client.next();
  assert.equal(second.views.length, 1);
  client.send({ responseNonce: second.nonce });
  setViews(undefined);
  assert.deepEqual((await client.next()).removed, ["production/api-0"]);
  client.close();
});

test("names of another namespace tell nothing about whether they exist", async () => {
  setViews(apiView());
  const client = new HandClient(issued(mesh.svid(API))).subscribe("staging/nothing-0");
  await client.assertEndsWith("PERMISSION_DENIED");
});

test("a nack is logged, readable, and not answered with the same version", async () => {
  setViews(apiView("/bad"));
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  const first = await client.next();
  client.send({ responseNonce: first.nonce, refusal: "format 7" });
  const nacked = await eventually("the nack", () => status().find((s) => s.nackedError));
  const { remoteAddress: _, certificate: __, pod: ___, ...told } = nacked;
  assert.deepEqual(told, {
    name: "production/api-0",
    versionSent: encodeView(apiView("/bad")).version,
    nackedError: "format 7",
    principal: API,
  });
  assert.equal(log.find("view refused by the sidecar").at(-1)?.fields["error"], "format 7");
  setViews(apiView("/bad"));
  setViews(apiView("/good"));
  const second = await client.next();
  assert.equal(pathIn(second), "/good");
  client.send({ responseNonce: second.nonce });
  await eventually("the ack", () => status().every((s) => s.nackedError === undefined));
  client.close();
});

test("a stale nonce changes nothing", async () => {
  setViews(apiView("/one"));
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  const first = await client.next();
  client.send({ responseNonce: "99" });
  setViews(apiView("/two"));
  client.send({ responseNonce: first.nonce });
  assert.equal(pathIn(await client.next()), "/two");
  client.close();
});

test("what a client kept from before is not sent again", async () => {
  setViews(apiView("/kept"));
  const { version } = encodeView(apiView("/kept"));
  const client = new HandClient(issued(mesh.svid(API))).send({
    subscribe: ["production/api-0"],
    heldVersions: { "production/api-0": version },
  });
  await eventually("the subscription", () => status().length > 0);
  setViews(apiView("/new"));
  assert.equal(pathIn(await client.next()), "/new");
  client.close();
});

test("who presents which certificate is known, and which trust was acknowledged, from before too", async () => {
  setViews(apiView("/trust"));
  const svid = issued(mesh.svid(API));
  const { version, trust } = encodeView(apiView("/trust"));
  const client = new HandClient(svid).subscribe("production/api-0");
  const first = await client.next();
  assert.deepEqual(
    status().map(({ trustAcked }) => trustAcked),
    [undefined],
  );
  client.send({ responseNonce: first.nonce });
  const acked = await eventually("the ack", () => status().find((s) => s.trustAcked));
  assert.equal(acked.trustAcked, trust);
  assert.equal(acked.certificate.serialNumber, svid.serialNumber);
  assert.equal(acked.certificate.notAfter.getTime(), svid.notAfter.getTime());
  const newer = new HandClient(svid).send({
    subscribe: ["production/api-0"],
    heldVersions: { "production/api-0": version },
  });
  const both = await eventually("the second stream", () => status().length === 2 && status());
  await eventually("its trust", () => status()[1]?.trustAcked === trust);
  assert.equal(both[0]?.trustAcked, trust);
  for (const one of [client, newer]) one.close();
  await eventually("the streams' end", () => status().length === 0);
});

test("a stream ends when its certificate's root is trusted no more, and not when another leaves", async () => {
  setViews(apiView("/distrusted"));
  const other = createThrowawayAuthority().rootPem;
  const before = trust.current;
  trust.set({ ...before, rootsPem: [other, mesh.rootPem] });
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  await client.next();
  trust.set(before);
  assert.equal(status().length, 1);
  trust.set({ ...before, rootsPem: [other] });
  try {
    await client.assertEndsWith("UNAUTHENTICATED");
    // TLS takes its certificate still, as on a connection that is older than the revocation.
    const late = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
    await late.assertEndsWith("UNAUTHENTICATED");
  } finally {
    trust.set(before);
  }
});

test("a stream ends when a list comes that its certificate cannot be judged by (CA-50)", async () => {
  setViews(apiView("/listed"));
  const before = trust.current;
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  await client.next();
  trust.set({ ...before, crlsPem: ["none"] });
  try {
    await client.assertEndsWith("UNAUTHENTICATED");
  } finally {
    trust.set(before);
  }
});

test("whoever is trusted no more hears of the newest trust before the stream ends, and then at once", async () => {
  const before = trust.current;
  const told = apiView("/told");
  setViews({ ...told, trust: { ...told.trust, ...before } });
  const client = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  client.send({ responseNonce: (await client.next()).nonce });
  await eventually("the ack", () => status()[0]?.trustAcked === trustFingerprint(before));
  const next = { ...before, crlsPem: ["none"] };
  trust.set(next);
  setViews({ ...told, trust: { ...told.trust, ...next } });
  try {
    const { nonce } = await client.next();
    const since = performance.now();
    client.send({ responseNonce: nonce });
    await client.assertEndsWith("UNAUTHENTICATED");
    assert.ok(performance.now() - since < 1_500, "it is not waited for any longer");
  } finally {
    trust.set(before);
  }
});

test("a stream is of the pod that its certificate was issued for", async () => {
  setViews(apiView("/whose"));
  const svid = issued(mesh.svid(API));
  const client = new HandClient(svid).subscribe("production/api-0");
  await client.next();
  assert.deepEqual(status()[0]?.pod, holderOf(svid).pod);
  client.close();
  await eventually("the stream's end", () => status().length === 0);
});

/** Good certificates of the right root, by which there is no view. */
const OF_NOBODY: readonly (readonly [what: string, enter: (svid: X509Svid) => void])[] = [
  ["another control plane issued under the same root", () => {}],
  [
    "was issued for another identity",
    ({ serialNumber }) =>
      void holders.set(serialNumber, holderOf({ ...mesh.svid(DATABASE), serialNumber })),
  ],
  [
    "was issued for a pod that is gone",
    (svid) => {
      issued(svid);
      ended.add(svid.serialNumber);
    },
  ],
];

for (const [what, enter] of OF_NOBODY) {
  test(`CA-56: a certificate that ${what} gets no view`, async () => {
    setViews(apiView());
    const svid = mesh.svid(API);
    enter(svid);
    await new HandClient(svid).subscribe("production/api-0").assertEndsWith("UNAUTHENTICATED");
  });
}

test("a stream whose pod goes hears that there is nothing more for it, whatever comes of others' views", async () => {
  setViews(apiView("/before"));
  const svid = issued(mesh.svid(API));
  const client = new HandClient(svid).subscribe("production/api-0");
  const first = await client.next();
  client.send({ responseNonce: first.nonce });
  await eventually("the ack", () => status()[0]?.versionAcked);
  ended.add(svid.serialNumber);
  setViews(apiView("/after"));
  const last = await client.next();
  assert.deepEqual([last.views, last.removed], [[], ["production/api-0"]]);
  client.send({ responseNonce: last.nonce, subscribe: ["production/api-1"] });
  setViews(apiView("/later"));
  assert.deepEqual((await client.next()).views, []);
  client.close();
  await eventually("the stream's end", () => status().length === 0);
});

test("without a client certificate there is no view", async () => {
  setViews(apiView());
  await new HandClient(undefined).subscribe("production/api-0").assertEndsWith("UNAUTHENTICATED");
  assert.ok(log.find("view refused: caller not authenticated").length > 0);
});

test("TLS-4: a certificate of another trust domain is no caller", async () => {
  const svid = issued(mesh.svid("spiffe://elsewhere/ns/production/sa/api"));
  await new HandClient(svid).subscribe("production/api-0").assertEndsWith("UNAUTHENTICATED");
});

test("a stream ends when the certificate it was opened with expires", async () => {
  setViews(apiView());
  const client = new HandClient(issued(mesh.svid(API, { now: new Date(), lifetimeMs: 3_000 })));
  const first = await client.subscribe("production/api-0").next();
  client.send({ responseNonce: first.nonce });
  await client.assertEndsWith("UNAUTHENTICATED");
});

/** Of a pod that no other test is about. */
function ofPod(podName: string): X509Svid {
  const svid = mesh.svid(API);
  const { identity, pod } = holderOf(svid);
  holders.set(svid.serialNumber, { identity, pod: { ...pod, podName, podUid: podName } });
  return svid;
}

test("limits: a pod that opens streams without end is refused, told a few times, and others are served", async () => {
  setViews(apiView());
  const svid = ofPod("api-greedy");
  const greedy = Array.from({ length: 80 }, () => new HandClient(svid));
  const answers = greedy.map((client) =>
    client
      .subscribe("production/api-0")
      .next()
      .then(
        () => "served",
        (error: unknown) => (error instanceof GrpcStatusError ? error.status : String(error)),
      ),
  );
  const told = await Promise.all(answers);
  const refused = told.filter((answer) => answer === "RESOURCE_EXHAUSTED").length;
  const served = told.filter((answer) => answer === "served").length;
  assert.equal(refused + served, 80, told.join());
  assert.ok(served >= 60 && refused > 0, `${served} served`);
  const lines = log.find("view refused: the pod opens too many streams").length;
  assert.ok(lines >= 1 && lines <= 3, `${lines} lines`);
  const other = new HandClient(issued(mesh.svid(API))).subscribe("production/api-0");
  assert.equal((await other.next()).views.length, 1);
  for (const client of [...greedy, other]) client.close();
  await eventually("the streams' end", () => status().length === 0);
});

test("limits: too many subscriptions", async () => {
  setViews(apiView());
  const names = Array.from({ length: 9 }, (_, index) => `production/wish-${index}`);
  const greedy = new HandClient(issued(mesh.svid(API))).subscribe(...names);
  await greedy.assertEndsWith("RESOURCE_EXHAUSTED");
});

test("a policy goes to whoever judges before an agent hears of it, whose Envoy is told by a stream of its own; trust goes to all at once", async (context) => {
  setViews(apiView("/one"));
  const [judge, agent] = [API, DATABASE].map((id) => new HandClient(issued(mesh.svid(id))));
  assert.ok(judge && agent);
  context.after(() => {
    for (const client of [judge, agent]) client.close();
    ofEnvoys.clear();
  });
  ofEnvoys.add("production/database-0");
  const names = ["production/api-0", "production/database-0"];
  for (const [index, client] of [judge, agent].entries()) {
    client.subscribe(names[index] ?? "");
    client.send({ responseNonce: (await client.next()).nonce });
  }
  const sent = (): readonly boolean[] =>
    names.map((name) => {
      const view = views.current.get(name);
      const told = status().find((one) => one.name === name && one.versionAcked !== undefined);
      return view !== undefined && told?.versionSent === encodeView(view).version;
    });
  await eventually("both have the first", () => status().every((one) => one.versionAcked));
  /** Stands behind the others: what they were told when its turn comes. */
  const seen: (readonly boolean[])[] = [];
  const last: PushedStream = {
    isBehind: true,
    pushFirst: () => seen.push(sent()),
    push: () => seen.push(sent()),
  };
  context.after(pushes.add(() => [last]));
  const changed = (change: (view: WorkloadView) => WorkloadView): void =>
    views.set(new Map([...views.current].map(([name, view]) => [name, change(view)])));

  changed((view) => ({ ...view, inbound: { ...view.inbound, ports: [] } }));
  await eventually("all is told", () => seen.length === 2);
  assert.deepEqual(seen.splice(0), [
    [true, false],
    [true, true],
  ]);
  for (const client of [judge, agent]) client.send({ responseNonce: (await client.next()).nonce });
  await eventually("both have the second", () =>
    status().every((one) => one.versionAcked === one.versionSent),
  );

  changed((view) => ({ ...view, trust: { ...view.trust, crlsPem: ["a list"] } }));
  await eventually("all is told again", () => seen.length === 2);
  assert.deepEqual(seen[0], [true, true]);
});
