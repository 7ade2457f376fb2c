/** A sidecar's connection to the rate limit service, over mutual TLS. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { globalRateLimit } from "../../../test/kit/global-rate-limit.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import { sampleView } from "../../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { spiffeIdOfCertificate } from "../../identity/peer-certificate.ts";
import type { X509Svid } from "../../identity/x509-svid.ts";
import {
  type Counters,
  CountersAwayError,
  CountersLateError,
} from "../../rate-limit-service/counters.ts";
import { MemoryCounters } from "../../rate-limit-service/memory-counters.ts";
import { rateLimitService } from "../../rate-limit-service/rate-limit-service.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../wire/secure-grpc-server.ts";
import { GlobalConnection } from "./global-connection.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const QUESTION = {
  domain: "cluster.local",
  descriptors: [[["hauberk.limit", "shop/checkout/all"]]],
  hits: 1,
} as const;
const authority = createThrowawayAuthority();
let now = 0;

/** @param seen hears of each question the serial number of the certificate, and the address that it came from */
function serve(
  seen: (serial: string, from: string) => void,
  { port = 0, counters = new MemoryCounters() }: Partial<{ port: number; counters: Counters }> = {},
): Promise<SecureGrpcServer> {
  const log = recordedLog();
  const view = sampleView({ name: "shop/api-0", identity: API, rootPem: authority.rootPem });
  const rateLimits = [globalRateLimit()];
  const views = new Map([["shop/api-0", { ...view, inbound: { ...view.inbound, rateLimits } }]]);
  const service = rateLimitService({
    trustDomain: "cluster.local",
    views: new WatchedValue(views),
    identify: async ({ certificate, remoteAddress }) => {
      if (certificate === undefined) throw new Error("no certificate");
      seen(certificate.serialNumber, remoteAddress);
      return spiffeIdOfCertificate(certificate);
    },
    counters,
    log,
    now: () => (now += 10_000), // no certificate is believed for so long
  });
  const identity = { ...authority.serverCertificate(), clientRootsPem: [authority.rootPem] };
  return startSecureGrpcServer({
    ...{ host: "127.0.0.1", port, services: [service], maxReceiveBytes: 65_536, log },
    identity: new WatchedValue(identity),
  });
}

function connect(context: TestContext, port: number, svid: X509Svid | undefined) {
  const held = new WatchedValue(svid);
  const rootsPem = (): readonly string[] => [authority.rootPem];
  const connection = new GlobalConnection({
    controlPlane: `127.0.0.1:${port}`,
    svid: held,
    rootsPem,
    timeoutMs: 10_000,
  });
  context.after(() => connection.close());
  return { connection, held };
}

test("it asks as its workload, and takes what is given in advance", async (context) => {
  const server = await serve(() => {});
  context.after(() => server.close());
  const { connection } = connect(context, server.port, authority.svid(API));
  await connection.open();
  assert.deepEqual(await connection.ask(QUESTION), [
    { code: "ok", remaining: 95, resetMs: 0, given: 5 },
  ]);
});

test("with a new certificate it connects anew, and shows that one", async (context) => {
  const serials: string[] = [];
  const server = await serve((serial) => serials.push(serial));
  context.after(() => server.close());
  const [first, second] = [authority.svid(API), authority.svid(API)];
  const { connection, held } = connect(context, server.port, first);
  await connection.open();
  await Promise.all([connection.ask(QUESTION), connection.ask(QUESTION)]);
  const underWay = connection.ask(QUESTION);
  held.set(second);
  await Promise.all([underWay, connection.ask(QUESTION)]);
  assert.equal(serials.at(-1), second.serialNumber);
  assert.ok(serials.slice(0, -1).every((serial) => serial === first.serialNumber));
});

test("a service that is back is asked by the next question", async (context) => {
  const before = await serve(() => {});
  const { connection } = connect(context, before.port, authority.svid(API));
  await connection.open();
  await connection.ask(QUESTION);
  await before.close();
  await assert.rejects(connection.ask(QUESTION), GrpcStatusError);
  const again = await serve(() => {}, { port: before.port });
  context.after(() => again.close());
  assert.equal((await connection.ask(QUESTION))[0]?.code, "ok");
});

test("who says that nobody counts is asked again over the same connection", async (context) => {
  const memory = new MemoryCounters();
  let problem: Error | undefined;
  const take: Counters["take"] = async (count) => {
    if (problem !== undefined) throw problem;
    return memory.take(count);
  };
  const from = new Set<string>();
  const server = await serve((_serial, address) => from.add(address), {
    counters: { take, look: (counter) => memory.look(counter), close: async () => {} },
  });
  context.after(() => server.close());
  const { connection } = connect(context, server.port, authority.svid(API));
  for (const each of [
    new CountersAwayError("Redis is away"),
    new CountersLateError("Redis gave no answer"),
  ]) {
    problem = each;
    await assert.rejects(connection.ask(QUESTION), GrpcStatusError);
  }
  await assert.rejects(connection.ask({ ...QUESTION, domain: "other" }), GrpcStatusError);
  problem = undefined;
  assert.equal((await connection.ask(QUESTION))[0]?.code, "ok");
  assert.equal(from.size, 1, [...from].join(", "));
});

test("without a certificate it asks nobody", async (context) => {
  const { connection } = connect(context, 1, undefined);
  await assert.rejects(connection.ask(QUESTION), /no certificate yet/);
});
