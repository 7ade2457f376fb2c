import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { ProxyPushes } from "../control/aggregated-discovery/proxy-pushes.ts";
import { type DiscoveryService, discoveryService } from "../control/discovery-service.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { WORKLOAD_VIEW_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { systemClock } from "../runtime/clock.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { ViewDiscovery } from "../wire/gen/hauberk/discovery/v1/workload_view_pb.ts";
import { bidirectional, type GrpcService, grpcService } from "../wire/grpc-service.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { packView } from "../wire/workload-view-message.ts";
import { type DiscoveryClient, startDiscoveryClient } from "./discovery-client.ts";

const API = "spiffe://cluster.local/ns/production/sa/api";
const NAME = "production/api-0";
const mesh = createThrowawayAuthority();

type Views = ReadonlyMap<string, WorkloadView>;

function apiView(path: string): WorkloadView {
  return sampleView({ name: NAME, identity: API, rootPem: mesh.rootPem, path });
}

function viewsOf(path: string): Views {
  return new Map([[NAME, apiView(path)]]);
}

function pathOf(view: WorkloadView | undefined): string | undefined {
  return view?.inbound.authorization.allow[0]?.rules[0]?.to[0]?.paths?.[0];
}

async function serve(service: GrpcService, port = 0): Promise<SecureGrpcServer> {
  return startSecureGrpcServer({
    host: "127.0.0.1",
    port,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [service],
    maxReceiveBytes: 65_536,
    log: silentLog,
  });
}

const trust = new WatchedValue<AuthorityTrust>({
  rootsPem: [mesh.rootPem],
  taintedAuthorities: [],
  crlsPem: [],
});

const HOLDER: CertificateHolder = {
  identity: parseSpiffeId(API),
  pod: { namespace: "production", podName: "api-0", podUid: "uid", serviceAccount: "api" },
};

function discovery(views: WatchedValue<Views>): DiscoveryService {
  return discoveryService({
    views,
    trustDomain: "cluster.local",
    trust,
    holderOf: () => HOLDER,
    isLivePod: () => true,
    pushes: new ProxyPushes(views),
    isJudgedByEnvoy: () => false,
    clock: systemClock,
    log: silentLog,
  });
}

interface Started extends DiscoveryClient {
  readonly log: RecordedLog;
  readonly svid: WatchedValue<X509Svid | undefined>;
}

function startClient(
  context: TestContext,
  options: {
    readonly port: number;
    readonly svid?: X509Svid;
    readonly serverName?: string;
    readonly rootsPem?: () => readonly string[];
    readonly onRefused?: (svid: X509Svid) => void;
    readonly updates?: "whole" | "fields";
    readonly beforehand?: (view: WorkloadView) => Promise<void>;
  },
): Started {
  const stop = new AbortController();
  const log = recordedLog();
  const svid = new WatchedValue<X509Svid | undefined>(options.svid ?? mesh.svid(API));
  const client = startDiscoveryClient({
    controlPlane: `127.0.0.1:${options.port}`,
    name: NAME,
    svid,
    rootsPem: options.rootsPem ?? (() => [mesh.rootPem]),
    log,
    random: () => 0,
    signal: stop.signal,
    ...(options.onRefused && { onRefused: options.onRefused }),
    ...(options.updates && { updates: options.updates }),
    ...(options.beforehand && { beforehand: options.beforehand }),
    ...(options.serverName === undefined ? {} : { serverName: options.serverName }),
  });
  context.after(async () => {
    stop.abort();
    await client.stopped;
  });
  return { ...client, log, svid };
}

async function hasPath(client: DiscoveryClient, path: string): Promise<void> {
  await eventually(`a view with ${path}`, () => pathOf(client.views.current) === path);
}

test("the first view and every change arrive whole", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/one"));
  const { service, status } = discovery(views);
  const server = await serve(service);
  context.after(() => server.close());
  const client = startClient(context, { port: server.port });
  await hasPath(client, "/one");
  assert.deepEqual(client.views.current, apiView("/one"));
  views.set(viewsOf("/two"));
  await hasPath(client, "/two");
  await eventually("the ack", () => status().every((s) => s.versionAcked === s.versionSent));
});

test("what is done beforehand is done before anybody hears of a view, and before it is acknowledged", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/one"));
  const { service, status } = discovery(views);
  const server = await serve(service);
  context.after(() => server.close());
  let done = createDeferred<void>();
  done.resolve();
  const begun: (string | undefined)[] = [];
  const beforehand = (view: WorkloadView): Promise<void> => {
    begun.push(pathOf(view));
    return done.promise;
  };
  const client = startClient(context, { port: server.port, beforehand });
  await hasPath(client, "/one");
  done = createDeferred();
  views.set(viewsOf("/two"));
  await eventually("it to begin", () => begun.includes("/two"));
  assert.equal(pathOf(client.views.current), "/one");
  assert.ok(status().every((one) => one.versionAcked !== one.versionSent));
  done.reject(new Error("not to be compiled"));
  await eventually("the refusal", () => status().some((one) => one.nackedError !== undefined));
  assert.equal(pathOf(client.views.current), "/one");
  done = createDeferred();
  done.resolve();
  views.set(viewsOf("/three"));
  await hasPath(client, "/three");
  await eventually("the ack", () => status().every((one) => one.versionAcked === one.versionSent));
});

test("who asks for fields is told those that changed, also after an interruption", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/one"));
  const { service, status } = discovery(views);
  const server = await serve(service);
  const client = startClient(context, { port: server.port, updates: "fields" });
  const isAcked = (): boolean =>
    status().length > 0 &&
    status().every(
      ({ versionAcked: own, versionSent }) => own !== undefined && own === versionSent,
    );
  await hasPath(client, "/one");
  await eventually("the ack", isAcked);
  const before = client.views.current;
  for (const path of ["/two", "/three"]) {
    views.set(viewsOf(path));
    await hasPath(client, path);
    assert.deepEqual(client.views.current, apiView(path));
    assert.equal(client.views.current?.outbound, before?.outbound, "it was not told again");
    await eventually("the ack", isAcked);
  }
  await server.close();
  await eventually("the interruption", () => client.log.find("discovery stream ended").length > 0);
  views.set(viewsOf("/four"));
  const next = await serve(discovery(views).service, server.port);
  context.after(() => next.close());
  await hasPath(client, "/four");
  assert.deepEqual(client.views.current, apiView("/four"));
});

test("it waits for a certificate before it asks", async (context) => {
  const { service } = discovery(new WatchedValue<Views>(viewsOf("/one")));
  const server = await serve(service);
  context.after(() => server.close());
  const client = startClient(context, { port: server.port });
  client.svid.set(undefined);
  const late = startClient(context, { port: server.port });
  await hasPath(late, "/one");
  client.svid.set(mesh.svid(API));
  await hasPath(client, "/one");
});

test("after a restart it comes back, keeps its view meanwhile, and is not sent it again", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/kept"));
  const first = await serve(discovery(views).service);
  const client = startClient(context, { port: first.port });
  await hasPath(client, "/kept");
  const held = client.views.current;
  await first.close();
  await eventually("the interruption", () => client.log.find("discovery stream ended").length > 0);
  assert.equal(client.views.current, held);

  const { service, status } = discovery(views);
  const second = await serve(service, first.port);
  context.after(() => second.close());
  await eventually("the return", () => status().length > 0);
  await delay(50);
  assert.equal(client.log.find("view received").length, 1);
  assert.equal(client.views.current, held);
  views.set(viewsOf("/new"));
  await hasPath(client, "/new");
  assert.equal(client.log.find("view received").length, 2);
});

test("a view that is gone is kept, and taken again when it is back", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/same"));
  const { service, status } = discovery(views);
  const server = await serve(service);
  context.after(() => server.close());
  const client = startClient(context, { port: server.port });
  await hasPath(client, "/same");
  await eventually("the ack", () => status()[0]?.versionAcked);
  views.set(new Map());
  await eventually("the news", () => client.log.find("the control plane has no view").length > 0);
  assert.equal(pathOf(client.views.current), "/same");
  await eventually("the ack", () => status()[0]?.versionAcked === "absent");
  views.set(viewsOf("/same"));
  await eventually("the view", () => client.log.find("view received").length === 2);
});

test("a renewed certificate opens a stream of its own; nothing is sent again, and changes go on arriving", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/one"));
  const { service, status } = discovery(views);
  const server = await serve(service);
  context.after(() => server.close());
  const svid = mesh.svid(API, { now: new Date(), lifetimeMs: 3_000 });
  const client = startClient(context, { port: server.port, svid });
  await hasPath(client, "/one");
  await eventually("the ack", () => status()[0]?.versionAcked);
  client.svid.set(mesh.svid(API));
  await eventually("the news", () => client.log.find("discovery stream is opened anew")[0]);
  await eventually("the one new stream", () => status().length === 1);
  views.set(viewsOf("/two"));
  await hasPath(client, "/two");
  await delay(Math.max(0, svid.notAfter.getTime() - Date.now()) + 500);
  views.set(viewsOf("/three"));
  await hasPath(client, "/three");
  assert.equal(client.log.find("view received").length, 3);
  assert.equal(client.log.find("discovery stream ended").length, 0);
});

test("without a valid certificate there is no stream; a new one ends the wait for the next attempt", async (context) => {
  const { service } = discovery(new WatchedValue<Views>(viewsOf("/one")));
  const server = await serve(service);
  context.after(() => server.close());
  const expired = mesh.svid(API, { now: new Date(Date.now() - 60_000), lifetimeMs: 1_000 });
  const client = startClient(context, { port: server.port, svid: expired });
  await eventually("a few failures", () => client.log.find("discovery stream ended").length >= 4);
  assert.equal(client.views.current, undefined);
  client.svid.set(mesh.svid(API));
  await hasPath(client, "/one");
});

test("the control plane is believed by the roots that are known when a stream starts", async (context) => {
  const { service } = discovery(new WatchedValue<Views>(viewsOf("/one")));
  const server = await serve(service);
  context.after(() => server.close());
  const roots: string[] = [createThrowawayAuthority().rootPem];
  const client = startClient(context, { port: server.port, rootsPem: () => roots });
  await eventually("a failure", () => client.log.find("discovery stream ended")[0]);
  roots.push(mesh.rootPem);
  await hasPath(client, "/one");
});

test("a control plane of another name or root is not believed", async (context) => {
  const { service } = discovery(new WatchedValue<Views>(viewsOf("/one")));
  const server = await serve(service);
  context.after(() => server.close());
  const client = startClient(context, { port: server.port, serverName: "elsewhere.svc" });
  const ended = await eventually("a failure", () => client.log.find("discovery stream ended")[0]);
  assert.match(String(ended.fields["error"]), /altnames/);
  assert.equal(client.views.current, undefined);
});

interface Sent {
  readonly name?: string;
  readonly format?: number;
  readonly json: string;
}

/** A control plane that sends what it is told to, and notes the answers. */
function scripted(responses: readonly Sent[]): { service: GrpcService; answers: string[] } {
  const answers: string[] = [];
  const service = grpcService(ViewDiscovery, {
    watchViews: bidirectional(async ({ requests, send }) => {
      let sent = 0;
      for await (const { responseNonce, refusal } of requests) {
        if (responseNonce !== "") answers.push(refusal ?? "ack");
        const next = responses[sent++];
        if (next === undefined) continue;
        const { name = NAME, format = WORKLOAD_VIEW_FORMAT, json } = next;
        send({
          nonce: String(sent),
          views: [{ name, version: String(sent), view: packView({ format, json }) }],
        });
      }
    }, silentLog),
  });
  return { service, answers };
}

test("what cannot be understood is refused with the reason, and the last good view stays", async (context) => {
  const good = JSON.stringify(apiView("/good"));
  const others = sampleView({
    name: NAME,
    identity: "spiffe://cluster.local/ns/production/sa/other",
    rootPem: mesh.rootPem,
  });
  const { service, answers } = scripted([
    { json: good },
    { json: good, format: 1 },
    { json: "{" },
    { json: "{}" },
    { json: good.replace('"mode":"STRICT"', '"mode":"STRCT"') },
    { json: good.replace('"paths"', '"path"') },
    { json: JSON.stringify(others) },
    { json: good, name: "production/other-0" },
    { json: JSON.stringify(apiView("/better")) },
  ]);
  const server = await serve(service);
  context.after(() => server.close());
  const client = startClient(context, { port: server.port });
  const seen: (string | undefined)[] = [];
  client.views.onChange((view) => seen.push(pathOf(view)));
  await eventually("all answers", () => answers.length === 9);
  const expected = [
    /^ack$/,
    /format 1/,
    /not JSON/,
    /view\.workload is not an object/,
    /view\.inbound\.ports\[0\]\.mutualTls\.mode is not one of/,
    /to\[0\]\.path is not a known field/,
    /not for us/,
    /another view/,
    /^ack$/,
  ];
  answers.forEach((answer, index) => {
    assert.match(answer, expected[index] ?? assert.fail());
  });
  assert.deepEqual(seen, ["/good", "/better"]);
});

test("a certificate that is refused, or taken no more, is told of; an interruption is not", async (context) => {
  const views = new WatchedValue<Views>(viewsOf("/one"));
  const first = await serve(discovery(views).service);
  const refused: X509Svid[] = [];
  const client = startClient(context, {
    port: first.port,
    onRefused: (svid) => refused.push(svid),
  });
  await hasPath(client, "/one");
  const before = trust.current;
  trust.set({ ...before, crlsPem: ["a list that nobody can read"] });
  await eventually("the refusal", () => refused.length > 0);
  assert.equal(refused[0], client.svid.current);
  trust.set(before);
  views.set(viewsOf("/two"));
  await hasPath(client, "/two");
  const told = refused.length;
  await first.close();
  await eventually(
    "the interruption",
    () => client.log.find("discovery stream ended").length > told,
  );
  assert.equal(refused.length, told);
});
