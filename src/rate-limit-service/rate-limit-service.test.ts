/** The service over mutual TLS: who may ask, about what, and what is answered. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { globalRateLimit } from "../../test/kit/global-rate-limit.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { WatchedValue } from "../runtime/watched.ts";
import {
  RateLimitResponse_Code as Code,
  RateLimitService,
} from "../wire/gen/envoy/service/ratelimit/v3/rls_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import type { WorkloadViews } from "./concerned-limits.ts";
import { type Counters, CountersAwayError } from "./counters.ts";
import { MemoryCounters } from "./memory-counters.ts";
import { rateLimitService } from "./rate-limit-service.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const OTHER = "spiffe://cluster.local/ns/shop/sa/other";
const GONE = "spiffe://cluster.local/ns/shop/sa/gone";
const LIMIT = "shop/checkout/all";

const mesh = createThrowawayAuthority();
const log = recordedLog();
const limit = globalRateLimit({ amount: 10, burst: 10, perMs: 60_000 });
const local = globalRateLimit({ name: "local", scope: "Local" });
const perUser = globalRateLimit({ name: "per-user", amount: 1, burst: 1 });
let now = 0;
let counters: Counters = new MemoryCounters(() => now);
const views = new WatchedValue<WorkloadViews>(new Map());
let server: SecureGrpcServer;
const clients: GrpcClient[] = [];

before(async () => {
  views.set(viewsWith(limit, local, perUser));
  server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [
      rateLimitService({
        trustDomain: "cluster.local",
        views,
        identify: async ({ certificate }) => {
          const id = spiffeIdOfCertificate(certificate ?? assert.fail("no certificate"));
          if (id === GONE) throw new Error("the pod does not run");
          return id;
        },
        counters: {
          take: (count) => counters.take(count),
          look: (counter) => counters.look(counter),
          close: async () => {},
        },
        log,
        now: () => now,
      }),
    ],
    maxReceiveBytes: 65_536,
    log,
  });
});
after(async () => {
  for (const client of clients) client.close();
  await server.close();
});

function viewsWith(...rateLimits: readonly ReturnType<typeof globalRateLimit>[]): WorkloadViews {
  const view = (name: string, identity: string) =>
    sampleView({ name: `shop/${name}`, identity, rootPem: mesh.rootPem });
  const api = view("api-0", API);
  return new Map([
    ["shop/api-0", { ...api, inbound: { ...api.inbound, rateLimits } }],
    ["shop/other-0", view("other-0", OTHER)],
  ]);
}

function clientOf(id?: string): GrpcClient {
  const svid = id === undefined ? undefined : mesh.svid(id);
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [mesh.rootPem],
    ...(svid && {
      certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    }),
    maxReceiveBytes: 65_536,
  });
  clients.push(client);
  return client;
}

interface Question {
  readonly domain?: string;
  readonly hits?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(
  client: GrpcClient,
  descriptors: readonly Readonly<Record<string, string>>[],
  { domain = "cluster.local", hits = 1, headers = {} }: Question = {},
) {
  const request = {
    domain,
    hitsAddend: hits,
    descriptors: descriptors.map((entries) => ({
      entries: Object.entries(entries).map(([key, value]) => ({ key, value })),
    })),
  };
  return client.unary(RateLimitService.method.shouldRateLimit, request, {
    timeoutMs: 5_000,
    headers,
  });
}

const refusedWith = (status: string) => (error: unknown) =>
  error instanceof GrpcStatusError && error.status === status;

test("a workload counts for its own limit, and reads what Envoy would", async () => {
  const api = clientOf(API);
  const first = await ask(api, [{ "hauberk.limit": LIMIT }], { hits: 4 });
  assert.equal(first.overallCode, Code.OK);
  const [status] = first.statuses;
  assert.equal(status?.limitRemaining, 6);
  const { name, requestsPerUnit, unit } = status?.currentLimit ?? assert.fail("no limit");
  assert.deepEqual([name, requestsPerUnit, unit], [LIMIT, 10, 2]);
  const second = await ask(api, [{ "hauberk.limit": LIMIT }], { hits: 7 });
  assert.equal(second.overallCode, Code.OVER_LIMIT);
  assert.equal(second.statuses[0]?.quota?.requests, 6, "those there were");
  assert.equal(second.statuses[0]?.durationUntilReset?.seconds, 6n);
  now += 6_000;
  assert.equal((await ask(api, [{ "hauberk.limit": LIMIT }])).overallCode, Code.OK);
});

test("each descriptor is counted by itself, and one over its limit is enough", async () => {
  const api = clientOf(API);
  const of = (key: string) => ({ "hauberk.limit": "shop/checkout/per-user", "hauberk.key": key });
  assert.equal((await ask(api, [of("ann"), of("bob")])).overallCode, Code.OK);
  const { overallCode, statuses } = await ask(api, [of("bob"), of("cy")]);
  assert.equal(overallCode, Code.OVER_LIMIT);
  assert.deepEqual(
    statuses.map(({ code }) => code),
    [Code.OVER_LIMIT, Code.OK],
  );
});

test("nobody counts for a limit of others, for one that sidecars count, or for none", async () => {
  const before = await ask(clientOf(API), [{ "hauberk.limit": LIMIT }]);
  const own = { "hauberk.limit": LIMIT };
  const asked = [
    await ask(clientOf(OTHER), [own], { hits: 10 }),
    await ask(clientOf(API), [{ "hauberk.limit": "shop/checkout/local" }]),
    await ask(clientOf(API), [{ "hauberk.limit": "shop/checkout/none" }]),
    await ask(clientOf(API), [{ other: "entry" }]),
  ];
  for (const { overallCode, statuses } of asked) {
    assert.equal(overallCode, Code.OK);
    assert.equal(statuses[0]?.currentLimit, undefined, "as where nothing limits");
  }
  const after = await ask(clientOf(API), [own], { hits: 10 });
  const [left, over] = [before.statuses[0]?.limitRemaining, after.statuses[0]?.quota?.requests];
  assert.equal(over ?? 0, left, "nothing was counted");
  assert.ok(log.find("a rate limit was asked about that is none of the caller's").length > 0);
});

test("a limit that came, changed or went counts so at once", async () => {
  const api = clientOf(API);
  const own = [{ "hauberk.limit": "shop/checkout/new" }];
  assert.equal((await ask(api, own)).statuses[0]?.currentLimit, undefined);
  views.set(viewsWith(globalRateLimit({ name: "new", amount: 7 })));
  assert.equal((await ask(api, own)).statuses[0]?.currentLimit?.requestsPerUnit, 7);
  views.set(viewsWith(globalRateLimit({ name: "new", amount: 8, perMs: 5_000 })));
  const changed = (await ask(api, own)).statuses[0]?.currentLimit;
  assert.deepEqual([changed?.requestsPerUnit, changed?.unit], [8, 0], "5 s is no unit of Envoy's");
  views.set(viewsWith(limit, local, perUser));
  assert.equal((await ask(api, own)).statuses[0]?.currentLimit, undefined);
});

test("tokens in advance are for those who say that they keep them", async () => {
  views.set(viewsWith(globalRateLimit()));
  const api = clientOf(API);
  const own = [{ "hauberk.limit": LIMIT }];
  assert.equal((await ask(api, own)).statuses[0]?.quota?.requests, 1);
  const headers = { "x-hauberk-advance": "welcome" };
  assert.equal((await ask(api, own, { headers })).statuses[0]?.quota?.requests, 5);
  views.set(viewsWith(limit, local, perUser));
});

test("what strangers choose is bounded", async () => {
  const api = clientOf(API);
  const faults: [string, readonly Readonly<Record<string, string>>[], Question][] = [
    ["no descriptor", [], {}],
    ["65 descriptors", Array.from({ length: 65 }, () => ({ a: "b" })), {}],
    ["9 entries", [Object.fromEntries([..."abcdefghi"].map((name) => [name, "x"]))], {}],
    ["a long value", [{ a: "x".repeat(2_049) }], {}],
    ["a long name", [{ ["x".repeat(513)]: "a" }], {}],
    ["another domain", [{ a: "b" }], { domain: "other.local" }],
  ];
  for (const [what, descriptors, options] of faults)
    await assert.rejects(ask(api, descriptors, options), refusedWith("INVALID_ARGUMENT"), what);
  const many = [{ "hauberk.limit": "shop/checkout/per-user", "hauberk.key": "max" }];
  const { statuses } = await ask(api, many, { hits: 4_294_967_295 });
  assert.equal(statuses[0]?.quota?.requests, 1);
});

test("who shows no certificate, or one that is not good now, is not answered", async () => {
  const own = [{ "hauberk.limit": LIMIT }];
  await assert.rejects(ask(clientOf(), own), refusedWith("UNAUTHENTICATED"));
  await assert.rejects(ask(clientOf(GONE), own), refusedWith("UNAUTHENTICATED"));
  const lines = log.find("question of a rate limit refused");
  assert.ok(lines.length > 0);
});

test("where nobody counts the answer says so, and not that there is room", async () => {
  const before = counters;
  const away = (): Promise<never> => Promise.reject(new CountersAwayError("Redis is away"));
  counters = {
    take: away,
    look: away,
    close: async () => {},
  };
  await assert.rejects(
    ask(clientOf(API), [{ "hauberk.limit": LIMIT }]),
    refusedWith("FAILED_PRECONDITION"),
  );
  counters = before;
});
